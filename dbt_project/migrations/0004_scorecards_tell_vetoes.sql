-- Rules say bands and vetoes; scorecards and totals tell vetoes, and of those scored before none had one.
do $$
begin
    if to_regclass('core.kpi_item') is not null then
        alter table core.kpi_item add column if not exists threshold numeric;
        alter table core.kpi_ladder add column if not exists upper_score numeric;
    end if;
    if to_regclass('mart_build.mart_manager_scorecard') is not null then
        alter table mart_build.mart_manager_scorecard add column is_vetoed boolean not null default false;
        alter table mart_build.mart_manager_scorecard alter column is_vetoed drop default;
    end if;
    if to_regclass('mart_build.mart_manager_scorecard_total') is not null then
        alter table mart_build.mart_manager_scorecard_total
            add column points_before_veto numeric(9, 2),
            add column is_vetoed boolean not null default false;
        update mart_build.mart_manager_scorecard_total set points_before_veto = total_points;
        alter table mart_build.mart_manager_scorecard_total
            alter column points_before_veto set not null,
            alter column is_vetoed drop default;
    end if;
end $$;

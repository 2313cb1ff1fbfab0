-- A closed assessment keeps its figures and loses the evidence rows of a person whose data must go (DESIGN decision 9): a row
-- of the record says how many and how much, and names nobody. The run is not re-computable since.

create table assessment.evidence_lost (
    loss_id bigint generated always as identity primary key,
    run_id text not null references assessment.run (run_id),
    owner_id text not null,
    metric_id text not null,
    rows integer not null check (rows > 0),
    numerator numeric not null,
    denominator numeric,
    reason text not null check (reason ~ '\S'),
    lost_at timestamptz not null default clock_timestamp(),
    lost_by text not null default session_user
);
comment on table assessment.evidence_lost is
'Evidence rows that a closed assessment lost, by manager and metric: sealed metric = evidence that stands + what is lost here (销毁记录)';
comment on column assessment.evidence_lost.reason is 'erasure or withdrawal of consent, with its number; no person';

create index sealed_evidence_party_idx on assessment.sealed_evidence (party_key);

create trigger append_only before update or delete or truncate on assessment.evidence_lost
for each statement execute function assessment.refuse_change();

create function assessment.lose_evidence(party bigint, customer text, why text) returns integer
language plpgsql security definer set search_path = pg_catalog, assessment as $$
declare
    lost integer;
begin
    alter table assessment.sealed_evidence disable trigger append_only;
    with gone as (
        delete from assessment.sealed_evidence
        where party_key = party and customer_id = customer
        returning *
    ),
    noted as (
        insert into assessment.evidence_lost (run_id, owner_id, metric_id, rows, numerator, denominator, reason)
        select run_id, owner_id, metric_id, count(*), sum(numerator), sum(denominator), why
        from gone group by run_id, owner_id, metric_id
        returning rows
    )
    select coalesce(sum(rows), 0) into lost from noted;
    alter table assessment.sealed_evidence enable trigger append_only;
    return lost;
end
$$;
comment on function assessment.lose_evidence is
'Takes the evidence rows of one customer out of every run, and notes by manager and metric what went: the only way to do so';
revoke execute on function assessment.lose_evidence from public;

create view assessment.not_recomputable as
select run_id, min(lost_at) as since, sum(rows)::bigint as rows_lost
from assessment.evidence_lost
group by run_id;
comment on view assessment.not_recomputable is 'Runs whose evidence is no longer whole: their stored result stays valid';

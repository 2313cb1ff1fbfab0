-- Bands, deductions and vetoes: what their rules say beside what items and rungs had.
alter table assessment.sealed_item add column threshold numeric;
alter table assessment.sealed_ladder add column upper_score numeric;
comment on column assessment.sealed_item.threshold is 'Where a veto takes hold (一票否决), the number included';
comment on column assessment.sealed_ladder.upper_score is 'What a band comes to at its upper end (插值)';

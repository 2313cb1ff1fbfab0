-- Contacts tell who annotated their work log; those taken up before are told from their lines in raw.
do $$
begin
    if to_regclass('core.fct_contact') is not null then
        alter table core.fct_contact add column annotated_by text;
        alter table core.fct_contact add column annotated_at timestamp;
        update core.fct_contact as fact
        set annotated_by = sent.annotated_by, annotated_at = sent.annotated_at
        from raw_core_banking.contact as sent
        where fact.source_system = 'core_banking' and sent._file_id = fact.file_id and sent._line = fact.line;
    end if;
end $$;

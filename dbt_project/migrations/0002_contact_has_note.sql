-- Contacts tell whether their work log says something; those taken up before are told from their lines in raw.
do $$
begin
    if to_regclass('core.fct_contact') is not null then
        alter table core.fct_contact add column has_note boolean;
        update core.fct_contact as fact
        set has_note = coalesce(trim(sent.note), '') <> ''
        from raw_core_banking.contact as sent
        where fact.source_system = 'core_banking' and sent._file_id = fact.file_id and sent._line = fact.line;
    end if;
end $$;

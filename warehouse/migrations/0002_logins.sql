-- Who may log in, as whom, for which controller and when (DESIGN, decision 16). Policies ask these functions; they look
-- at session_user, which SET ROLE cannot change.
create table ops.login (
    login text not null,
    role text not null,
    employee_id text,
    organisation_id text,
    controller_id text not null,
    valid_from date not null default date '0001-01-01',
    valid_to date not null default date '9999-12-31',
    granted_at timestamptz not null default now(),
    granted_by text not null default session_user,
    primary key (login, valid_from),
    check (valid_from < valid_to)
);
comment on table ops.login is 'One login per person: role, employee, organisation, controller; half-open valid time';
comment on column ops.login.controller_id is 'Data controller whose rows the login sees; * means all controllers';
comment on column ops.login.organisation_id is 'Branch or outlet of a branch head (支行行长)';

-- The row of ops.login that is valid for this session today (Asia/Shanghai); of overlapping ones the latest begun.
create function ops.current_login() returns ops.login
language sql stable security definer parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select login_row
    from ops.login as login_row
    where login_row.login = session_user
        and (now() at time zone 'Asia/Shanghai')::date >= login_row.valid_from
        and (now() at time zone 'Asia/Shanghai')::date < login_row.valid_to
    order by login_row.valid_from desc
    limit 1
$$;

create function ops.current_controller() returns text
language sql stable security definer parallel safe
set search_path = pg_catalog, pg_temp
as $$ select (ops.current_login()).controller_id $$;

create function ops.current_employee() returns text
language sql stable security definer parallel safe
set search_path = pg_catalog, pg_temp
as $$ select (ops.current_login()).employee_id $$;

create function ops.current_organisation() returns text
language sql stable security definer parallel safe
set search_path = pg_catalog, pg_temp
as $$ select (ops.current_login()).organisation_id $$;

create function ops.current_job() returns text
language sql stable security definer parallel safe
set search_path = pg_catalog, pg_temp
as $$ select (ops.current_login()).role $$;

comment on function ops.current_login() is 'The valid row of ops.login of this session, NULL where there is none';
comment on function ops.current_controller() is 'Controller whose rows this session sees; * for all, NULL for none';
comment on function ops.current_employee() is 'Employee id of this session''s person';
comment on function ops.current_organisation() is 'Organisation id of this session''s person';
comment on function ops.current_job() is 'Role (DESIGN, decision 16) of this session''s person';

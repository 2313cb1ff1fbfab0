-- Working days of banks in mainland China, as the State Council's yearly notices set them (domain: calendars).
create table ops.bank_calendar (
    calendar_date date primary key,
    is_working_day boolean not null,
    is_makeup_workday boolean not null,
    is_holiday boolean not null,
    holiday_name text,
    holiday_name_cn text,
    ten_day_period smallint not null check (ten_day_period between 1 and 3),
    ten_day_period_name_cn text not null,
    ten_day_period_from date not null,
    ten_day_period_to date not null,
    is_provisional boolean not null,
    calendar_version text not null,
    check (not is_makeup_workday or is_working_day),
    check (not (is_holiday and is_working_day)),
    check (calendar_date between ten_day_period_from and ten_day_period_to)
);
comment on table ops.bank_calendar is 'One row a day: working day, holiday, make-up workday (调休上班), ten-day period (旬)';
comment on column ops.bank_calendar.is_makeup_workday is 'A Saturday or Sunday that is worked for a holiday (调休上班)';
comment on column ops.bank_calendar.is_holiday is 'A day off that a notice names, days off in lieu included; plain weekends are none';
comment on column ops.bank_calendar.ten_day_period is '旬: 1 is day 1-10 (上旬), 2 is day 11-20 (中旬), 3 is day 21 to the end of the month (下旬)';
comment on column ops.bank_calendar.ten_day_period_from is 'First day of the ten-day period';
comment on column ops.bank_calendar.ten_day_period_to is 'Last day of the ten-day period, included';
comment on column ops.bank_calendar.is_provisional is 'True where no notice is known yet: weekends only';
comment on column ops.bank_calendar.calendar_version is 'Name and version of the library that told it';

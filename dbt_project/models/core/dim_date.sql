select
    to_char(calendar_date, 'YYYYMMDD')::integer as date_key,
    calendar_date as date_day,
    extract(year from calendar_date)::smallint as calendar_year,
    extract(quarter from calendar_date)::smallint as calendar_quarter,
    ceil(extract(quarter from calendar_date) / 2)::smallint as calendar_half,
    extract(month from calendar_date)::smallint as calendar_month,
    date_trunc('week', calendar_date)::date as week_start,
    date_trunc('month', calendar_date)::date as month_start,
    (date_trunc('month', calendar_date) + interval '1 month - 1 day')::date as month_end,
    extract(day from calendar_date)::smallint as day_of_month,
    extract(isodow from calendar_date)::smallint as iso_weekday,
    ten_day_period,
    ten_day_period_name_cn,
    ten_day_period_from,
    ten_day_period_to,
    is_working_day,
    is_makeup_workday,
    is_holiday,
    holiday_name,
    holiday_name_cn,
    is_provisional,
    sum(is_working_day::integer) over (
        order by calendar_date rows between unbounded preceding and current row
    )::integer as working_day_no
from {{ source('ops', 'bank_calendar') }}

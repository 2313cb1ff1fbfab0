-- What the build of core is measured against (DESIGN, Scale): one business date, `:day`, of the facts of the grid, by hand.
-- The same rows as core for what the simulated sources send: in order, without corrections or deletions, which core
-- handles and this does not. 
set work_mem = '1GB';

set maintenance_work_mem = '1GB';

set max_parallel_workers_per_gather = 2;

insert into baseline.fct_energy_daily
select
    'grid_billing' as source_system,
    'grid' as controller_id,
    source_row.service_point_id,
    source_row.meter_id,
    source_row.reading_date,
    coalesce(service_point.service_point_key, case when source_row.service_point_id is null then -2 else -1 end) as service_point_key,
    coalesce(service_point.service_point_version_key, case when source_row.service_point_id is null then -2 else -1 end) as service_point_version_key,
    source_row.register_total,
    source_row.kwh,
    source_row.kwh_sharp,
    source_row.kwh_peak,
    source_row.kwh_flat,
    source_row.kwh_valley,
    source_row.kvarh,
    source_row.max_demand_kw,
    source_row.quality,
    1::smallint as row_sign,
    source_row._file_id as file_id,
    source_row._line as line,
    loaded.business_date,
    loaded.known_at
from raw_grid_billing.daily_reading as source_row
inner join ops.loaded_file as loaded on loaded.file_id = source_row._file_id
left join baseline.dim_service_point as service_point
    on service_point.source_system = 'grid_billing' and service_point.service_point_id = source_row.service_point_id
    and source_row.reading_date >= service_point.valid_from and source_row.reading_date < service_point.covers_to
where source_row._file_id = any(array(select file_id from ops.loaded_file where business_date = :'day'));

insert into baseline.fct_load_interval
select
    'grid_billing' as source_system,
    'grid' as controller_id,
    source_row.service_point_id,
    source_row.meter_id,
    source_row.reading_date + make_interval(mins => source_row.interval_minutes * (point.position::integer - 1)) as interval_start,
    coalesce(service_point.service_point_key, case when source_row.service_point_id is null then -2 else -1 end) as service_point_key,
    coalesce(service_point.service_point_version_key, case when source_row.service_point_id is null then -2 else -1 end) as service_point_version_key,
    source_row.reading_date,
    source_row.interval_minutes::smallint as interval_minutes,
    point.kwh,
    null::numeric(14,4) as controlled_load_kwh,
    null::numeric(14,4) as gross_generation_kwh,
    null::numeric(14,4) as net_generation_kwh,
    null::numeric(14,4) as other_kwh,
    source_row.quality,
    1::smallint as row_sign,
    source_row._file_id as file_id,
    source_row._line as line,
    loaded.business_date,
    loaded.known_at
from raw_grid_billing.load_curve as source_row
inner join ops.loaded_file as loaded on loaded.file_id = source_row._file_id
cross join unnest(source_row.readings) with ordinality as point (kwh, position)
left join baseline.dim_service_point as service_point
    on service_point.source_system = 'grid_billing' and service_point.service_point_id = source_row.service_point_id
    and source_row.reading_date >= service_point.valid_from and source_row.reading_date < service_point.covers_to
where source_row._file_id = any(array(select file_id from ops.loaded_file where business_date = :'day'));

insert into baseline.fct_grid_bill
select
    'grid_billing' as source_system,
    'grid' as controller_id,
    source_row.bill_id,
    source_row.line_no,
    coalesce(customer.customer_key, case when header.consumer_no is null then -2 else -1 end) as customer_key,
    coalesce(customer.customer_version_key, case when header.consumer_no is null then -2 else -1 end) as customer_version_key,
    coalesce(service_point.service_point_key, case when header.service_point_id is null then -2 else -1 end) as service_point_key,
    coalesce(service_point.service_point_version_key, case when header.service_point_id is null then -2 else -1 end) as service_point_version_key,
    header.consumer_no as customer_id,
    header.contract_no,
    header.service_point_id,
    header.billing_month,
    header.issued_on,
    header.due_on,
    header.bill_kind,
    header.cancels_bill_id,
    header.power_factor,
    source_row.component,
    source_row.period,
    source_row.tier,
    source_row.quantity,
    source_row.unit,
    source_row.price,
    source_row.amount,
    1::smallint as row_sign,
    source_row._file_id as file_id,
    source_row._line as line,
    loaded.business_date,
    loaded.known_at
from raw_grid_billing.bill_line as source_row
inner join ops.loaded_file as loaded on loaded.file_id = source_row._file_id
left join raw_grid_billing.bill as header
    on header.bill_id = source_row.bill_id
    and header._file_id = any(array(select file_id from ops.loaded_file where business_date = :'day'))
left join baseline.dim_customer as customer
    on customer.source_system = 'grid_billing' and customer.customer_id = header.consumer_no
    and header.issued_on >= customer.valid_from and header.issued_on < customer.covers_to
left join baseline.dim_service_point as service_point
    on service_point.source_system = 'grid_billing' and service_point.service_point_id = header.service_point_id
    and header.issued_on >= service_point.valid_from and header.issued_on < service_point.covers_to
where source_row._file_id = any(array(select file_id from ops.loaded_file where business_date = :'day'));

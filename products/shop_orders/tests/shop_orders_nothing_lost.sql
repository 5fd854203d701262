-- Accepted and quarantined lines together are the lines of the source: none lost, none in both, none made up.
with delivered as (
    select order_lines.line_no
    from {{ ref('order_lines') }} as order_lines

    union all

    select quarantined_lines.line_no
    from {{ ref('quarantined_lines') }} as quarantined_lines
),

counted as (
    select
        delivered.line_no,
        count(*) as occurrences
    from delivered
    group by delivered.line_no
)

select
    coalesce(source.line_no, counted.line_no) as line_no,
    counted.occurrences
from {{ source('shop_orders_raw', 'online_retail') }} as source
full outer join counted
    on source.line_no = counted.line_no
where source.line_no is null or counted.line_no is null or counted.occurrences <> 1

-- Prices have at most three decimals (0.001 stands for a free part of a set), so decimals hold them exactly
-- and sums do not depend on the order of the rows.
select
    source.invoice_no || '-' || cast(source.line_no as varchar) as order_line_id,
    cast(source.line_no as integer) as line_no,
    source.invoice_no,
    source.stock_code,
    nullif(trim(source.description), '') as product_description,
    cast(source.quantity as integer) as quantity,
    source.invoice_date as invoiced_at,
    cast(source.unit_price as decimal(12, 3)) as unit_price_gbp,
    cast(source.customer_id as varchar) as customer_id,
    nullif(source.country, 'Unspecified') as country
from {{ source('shop_orders_raw', 'online_retail') }} as source

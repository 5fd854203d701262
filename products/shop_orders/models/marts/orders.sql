-- One row per invoice with at least one accepted line. An invoice has one customer and one country;
-- its lines can cross a minute, so the first moment counts.
with invoices as (
    select
        lines.invoice_no,
        min(lines.customer_id) as customer_id,
        min(lines.country) as country,
        min(lines.invoiced_at) as ordered_at,
        bool_or(lines.is_cancellation) as is_cancellation,
        count(*) as line_count,
        count(distinct lines.stock_code) as article_count,
        sum(lines.quantity) as quantity,
        sum(case when lines.line_amount_gbp > 0 then lines.line_amount_gbp else 0 end) as charged_amount_gbp,
        sum(case when lines.line_amount_gbp < 0 then lines.line_amount_gbp else 0 end) as returned_amount_gbp,
        sum(lines.line_amount_gbp) as net_amount_gbp
    from {{ ref('order_lines') }} as lines
    group by lines.invoice_no
),

held_back as (
    select
        quarantined_lines.invoice_no,
        count(*) as line_count
    from {{ ref('quarantined_lines') }} as quarantined_lines
    group by quarantined_lines.invoice_no
)

select
    invoices.invoice_no,
    invoices.customer_id,
    invoices.country,
    {{ standards.sales_region('invoices.country') }} as sales_region,
    invoices.ordered_at,
    cast(invoices.ordered_at as date) as order_date,
    invoices.is_cancellation,
    cast(invoices.line_count as integer) as line_count,
    cast(coalesce(held_back.line_count, 0) as integer) as quarantined_line_count,
    cast(invoices.article_count as integer) as article_count,
    cast(invoices.quantity as integer) as quantity,
    cast(invoices.charged_amount_gbp as decimal(18, 3)) as charged_amount_gbp,
    cast(invoices.returned_amount_gbp as decimal(18, 3)) as returned_amount_gbp,
    cast(invoices.net_amount_gbp as decimal(18, 3)) as net_amount_gbp
from invoices
left join held_back
    on invoices.invoice_no = held_back.invoice_no
order by invoices.ordered_at, invoices.invoice_no

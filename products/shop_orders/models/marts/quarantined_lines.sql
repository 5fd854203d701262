select
    lines.order_line_id,
    lines.quarantine_reason,
    lines.invoice_no,
    lines.line_no,
    lines.customer_id,
    lines.invoiced_at,
    lines.stock_code,
    lines.product_description,
    lines.line_kind,
    lines.quantity,
    lines.unit_price_gbp,
    lines.line_amount_gbp,
    lines.is_cancellation,
    lines.is_return,
    lines.country
from {{ ref('int_shop_orders__checked_lines') }} as lines
where lines.quarantine_reason is not null
order by lines.line_no

select
    order_lines.order_line_id,
    order_lines.customer_id,
    order_lines.stock_code,
    order_lines.line_kind,
    order_lines.quantity,
    order_lines.line_amount_gbp,
    order_lines.is_cancellation
from {{ ref('shop_orders', 'order_lines') }} as order_lines

select
    orders.invoice_no,
    orders.customer_id,
    orders.country,
    orders.ordered_at,
    orders.order_date,
    orders.is_cancellation,
    orders.charged_amount_gbp,
    orders.returned_amount_gbp,
    orders.net_amount_gbp
from {{ ref('shop_orders', 'orders') }} as orders

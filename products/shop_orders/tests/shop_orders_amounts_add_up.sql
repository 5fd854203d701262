-- The amounts of orders are those of their lines, to the last digit.
with lines as (
    select
        order_lines.invoice_no,
        sum(order_lines.line_amount_gbp) as net_amount_gbp
    from {{ ref('order_lines') }} as order_lines
    group by order_lines.invoice_no
)

select
    orders.invoice_no,
    orders.net_amount_gbp,
    lines.net_amount_gbp as amount_of_lines_gbp
from {{ ref('orders') }} as orders
full outer join lines
    on orders.invoice_no = lines.invoice_no
where orders.net_amount_gbp is distinct from lines.net_amount_gbp
    or orders.net_amount_gbp <> orders.charged_amount_gbp + orders.returned_amount_gbp

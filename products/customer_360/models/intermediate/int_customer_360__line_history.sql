-- What only the lines tell of a customer: articles, and revenue from goods apart from postage and fees. Manual entries
-- count as goods: the shop books corrections that way, such as 38,970 pounds in C556445, which takes back a sale of goods.
select
    order_lines.customer_id,
    count(distinct case
        when order_lines.line_kind = 'goods' and not order_lines.is_cancellation then order_lines.stock_code
    end) as article_count,
    cast(
        coalesce(sum(case when order_lines.line_kind = 'goods' then order_lines.quantity end), 0)
        as bigint
    ) as net_quantity,
    coalesce(
        sum(case when order_lines.line_kind not in ('postage', 'fee') then order_lines.line_amount_gbp end),
        0
    ) as goods_revenue_gbp
from {{ ref('stg_customer_360__order_lines') }} as order_lines
group by order_lines.customer_id

-- Every line of the source, once, judged: accepted, or the first reason that holds it back.
with numbered as (
    select
        lines.order_line_id,
        lines.line_no,
        lines.invoice_no,
        lines.stock_code,
        lines.product_description,
        lines.quantity,
        lines.invoiced_at,
        lines.unit_price_gbp,
        lines.customer_id,
        lines.country,
        -- The source has no key of its own for a line: two lines that agree in everything may be two scans of one
        -- article or one line written twice. The first is kept, the others are held back.
        row_number() over (
            partition by
                lines.invoice_no,
                lines.stock_code,
                lines.product_description,
                lines.quantity,
                lines.invoiced_at,
                lines.unit_price_gbp,
                lines.customer_id,
                lines.country
            order by lines.line_no
        ) as repetition
    from {{ ref('stg_shop_orders__lines') }} as lines
)

select
    numbered.order_line_id,
    numbered.line_no,
    numbered.invoice_no,
    numbered.stock_code,
    numbered.product_description,
    case
        when numbered.stock_code in ('POST', 'DOT', 'C2') then 'postage'
        when numbered.stock_code = 'D' then 'discount'
        when numbered.stock_code in ('M', 'm', 'S') then 'manual'
        when numbered.stock_code in ('BANK CHARGES', 'AMAZONFEE', 'CRUK', 'B') then 'fee'
        else 'goods'
    end as line_kind,
    numbered.quantity,
    numbered.invoiced_at,
    numbered.unit_price_gbp,
    cast(numbered.quantity * numbered.unit_price_gbp as decimal(18, 3)) as line_amount_gbp,
    numbered.invoice_no like 'C%' as is_cancellation,
    numbered.quantity < 0 as is_return,
    numbered.customer_id,
    numbered.country,
    {{ standards.rejection_reason([
        {'when': "numbered.invoice_no like 'A%'", 'reason': 'bad_debt_adjustment'},
        {'when': 'numbered.unit_price_gbp <= 0', 'reason': 'non_positive_price'},
        {'when': 'numbered.customer_id is null', 'reason': 'missing_customer'},
        {'when': 'numbered.repetition > 1', 'reason': 'repeated_line'},
    ]) }} as quarantine_reason
from numbered

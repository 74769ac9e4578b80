with days as (

    {{ days_between('2020-12-15', '2031-01-31') }}

),

holidays as (

    select * from {{ ref('holidays') }}

)

select
    days.day,
    -- Working days up to and with this day; the difference of two days' numbers is the working days between them.
    cast(
        sum(
            case
                when holidays.kind = 'worked_saturday' then 1
                when holidays.kind = 'day_off' or {{ iso_weekday('days.day') }} > 5 then 0
                else 1
            end
        ) over (order by days.day) as integer
    ) as working_day_number
from days
left join holidays on days.day = holidays.day

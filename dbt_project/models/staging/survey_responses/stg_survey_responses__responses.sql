{% call delivered_rows('survey_responses') %}
    source.form_number,
    source.channel,
    source.responded_on,
    source.attitude,
    source.time as timeliness,
    source.quality,
    source.overall as overall_answer
{% endcall %}

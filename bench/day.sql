-- totals
$keep totals $as
SELECT *, desktop + mobile AS views, $rule AS rule
FROM (
    SELECT $unquoted AS title, written, desktop, mobile
    FROM (
        SELECT written,
            sum(CASE WHEN is_mobile THEN 0 ELSE number END) AS desktop,
            sum(CASE WHEN is_mobile THEN number ELSE 0 END) AS mobile
        FROM lines
        GROUP BY written
    )
)

-- chosen
$keep chosen $as
SELECT title, written, desktop, mobile, views FROM totals WHERE rule = '' ORDER BY views DESC, title LIMIT $depth

-- sums
SELECT rule, sum(views), count(*) FROM totals GROUP BY rule

-- most
SELECT title, desktop, mobile FROM chosen ORDER BY views DESC, title

-- hourly
SELECT chosen.title, lines.hour, sum(lines.number)
FROM lines JOIN chosen ON lines.written = chosen.written
GROUP BY chosen.title, lines.hour

-- least
SELECT min(views), count(*) FROM totals
WHERE rule = '' AND views = (SELECT min(views) FROM totals WHERE rule = '')

-- least_titles
SELECT title FROM totals
WHERE rule = '' AND views = (SELECT min(views) FROM totals WHERE rule = '')
ORDER BY title LIMIT $depth

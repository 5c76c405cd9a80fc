-- totals
$keep totals $as
SELECT title, sum(desktop) AS desktop, sum(mobile) AS mobile FROM $tallies GROUP BY title

-- sums
SELECT $rule AS rule, sum(desktop) + sum(mobile), count(*) FROM totals GROUP BY rule

-- found
$keep found $as
SELECT titles.title AS title, article, redirect, desktop, mobile
FROM $titles AS titles JOIN totals ON titles.title = totals.title

-- known
SELECT sum(desktop) + sum(mobile), count(*) FROM found

-- articles
$keep articles $as
SELECT article, sum(desktop) AS desktops, sum(mobile) AS mobiles, sum(desktop + mobile) AS views,
    sum(CASE WHEN redirect THEN desktop + mobile ELSE 0 END) AS redirected
FROM found
GROUP BY article

-- counts
SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM $titles WHERE NOT redirect)

-- chosen
$keep chosen $as
SELECT * FROM articles ORDER BY views DESC, article LIMIT $depth

-- most
SELECT titles.title, desktops, mobiles, redirected, chosen.article
FROM $titles AS titles JOIN chosen ON titles.article = chosen.article
WHERE NOT redirect
ORDER BY views DESC, chosen.article

-- hourly
SELECT named.article, tallies.hour, sum(tallies.desktop) + sum(tallies.mobile)
FROM $tallies AS tallies
JOIN (SELECT title, article FROM found WHERE article IN (SELECT article FROM chosen)) AS named
    ON tallies.title = named.title
GROUP BY named.article, tallies.hour

-- least
SELECT min(views), count(*) FROM articles WHERE views = (SELECT min(views) FROM articles)

-- least_titles
SELECT titles.title
FROM $titles AS titles
JOIN (
    SELECT article FROM articles WHERE views = (SELECT min(views) FROM articles) ORDER BY article LIMIT $depth
) AS least ON titles.article = least.article
WHERE NOT redirect
ORDER BY titles.title

-- categories
SELECT name, ranked.views, ranked.requested
FROM $categories AS categories
JOIN (
    SELECT category, sum(views) AS views, count(*) AS requested
    FROM $memberships AS memberships JOIN articles ON memberships.article = articles.article
    GROUP BY category ORDER BY views DESC, category LIMIT $depth
) AS ranked ON categories.category = ranked.category
ORDER BY ranked.views DESC, categories.category

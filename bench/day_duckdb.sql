-- lines
CREATE TEMP TABLE lines AS
SELECT (CAST(filename[-9:-8] AS INTEGER) + 23) % 24 AS hour, code = 'en.m' AS is_mobile, title AS written, number
FROM read_csv(
    '$files',
    delim = ' ', quote = '', escape = '', header = false, auto_detect = false, compression = 'gzip', filename = true,
    columns = {'code': 'VARCHAR', 'title': 'VARCHAR', 'number': 'UINTEGER', 'zero': 'VARCHAR'}
)
WHERE code IN ('en', 'en.m')

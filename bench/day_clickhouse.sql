-- lines
CREATE TABLE lines (hour UInt8, is_mobile Bool, written String, number UInt32) ENGINE = Memory AS
SELECT (toUInt8(substring(name, -9, 2)) + 23) % 24, fields[1] = 'en.m', fields[2], toUInt32(fields[3])
FROM (
    SELECT CAST(_file AS String) AS name, splitByChar(' ', line) AS fields
    FROM file('$files', 'LineAsString', 'line String', 'gzip')
    WHERE startsWith(line, 'en ') OR startsWith(line, 'en.m ')
)

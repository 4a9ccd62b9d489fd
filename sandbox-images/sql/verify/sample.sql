-- A library's lending: tables, constraints, views, triggers, windows, recursion, JSON.
CREATE TABLE author (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE book (
    id INTEGER PRIMARY KEY,
    author_id INTEGER NOT NULL REFERENCES author (id),
    title TEXT NOT NULL,
    year INTEGER CHECK (year BETWEEN 1450 AND 2100),
    copies INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE loan (
    id INTEGER PRIMARY KEY,
    book_id INTEGER NOT NULL REFERENCES book (id),
    reader TEXT NOT NULL,
    taken DATE NOT NULL,
    returned DATE
);

CREATE TABLE journal (what TEXT NOT NULL);

CREATE TRIGGER returned_book AFTER UPDATE OF returned ON loan
WHEN old.returned IS NULL AND new.returned IS NOT NULL
BEGIN
    INSERT INTO journal
    VALUES (new.reader || ' kept ' || CAST(julianday(new.returned) - julianday(new.taken) AS INTEGER) || ' days');
END;

INSERT INTO author VALUES (1, 'Lem'), (2, 'Woolf'), (3, 'Borges');
INSERT INTO book (id, author_id, title, year, copies) VALUES
(1, 1, 'Solaris', 1961, 2),
(2, 1, 'The Cyberiad', 1965, 1),
(3, 2, 'Orlando', 1928, 1),
(4, 3, 'Ficciones', 1944, 3),
(5, 2, 'The Waves', 1931, 1);
INSERT INTO loan (book_id, reader, taken) VALUES
(1, 'ann', '2024-01-03'),
(1, 'bob', '2024-01-05'),
(3, 'ann', '2024-01-10'),
(4, 'cem', '2024-02-01'),
(4, 'ann', '2024-02-27'),
(2, 'bob', '2024-02-28');

UPDATE loan SET returned = '2024-01-20' WHERE reader = 'ann' AND book_id IN (1, 3);
UPDATE loan SET returned = '2024-03-01' WHERE id = 5;

CREATE VIEW available AS
SELECT
    b.id,
    b.title,
    b.copies - count(l.id) AS left_over
FROM book AS b
LEFT JOIN loan AS l ON l.book_id = b.id AND l.returned IS NULL
GROUP BY b.id;

SELECT 'journal', what FROM journal ORDER BY what;

SELECT
    title,
    left_over,
    CASE WHEN left_over = 0 THEN 'none' WHEN left_over = 1 THEN 'last' ELSE 'some' END
FROM available
ORDER BY left_over, title;

SELECT
    a.name,
    count(l.id) AS loans,
    coalesce(group_concat(DISTINCT l.reader), '-') AS readers,
    rank() OVER (ORDER BY count(l.id) DESC)
FROM author AS a
JOIN book AS b ON b.author_id = a.id
LEFT JOIN loan AS l ON l.book_id = b.id
GROUP BY a.id
ORDER BY loans DESC, a.name;

SELECT
    reader,
    taken,
    lag(taken) OVER each_reader AS before,
    sum(1) OVER each_reader AS running
FROM loan
WINDOW each_reader AS (PARTITION BY reader ORDER BY taken)
ORDER BY reader, taken;

WITH RECURSIVE collatz (step, n) AS (
    SELECT 0, 27
    UNION ALL
    SELECT step + 1, CASE WHEN n % 2 = 0 THEN n / 2 ELSE 3 * n + 1 END FROM collatz WHERE n <> 1
)
SELECT 'collatz', max(step), max(n) FROM collatz;

SELECT key, value, type FROM json_each('{"b": [1, 2], "a": null, "c": "x"}') ORDER BY key;

BEGIN;
DELETE FROM loan WHERE reader = 'ann';
SELECT 'inside', count(*) FROM loan;
ROLLBACK;
SELECT 'after', count(*) FROM loan;

INSERT INTO author VALUES (4, 'Lem') ON CONFLICT (name) DO NOTHING;
INSERT OR IGNORE INTO book VALUES (6, 1, 'Too early', 1200, 1);
SELECT printf('%-6s|%05.1f|%x', 'fmt', 3.14159, 255), count(*), upper(substr('sqlite', 1, 3)) FROM author;

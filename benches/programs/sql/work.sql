-- Rounds of work, one for each row that is put in. How many, the database's name says.
PRAGMA synchronous = off;
CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL);
CREATE TABLE round(number INTEGER PRIMARY KEY, giver INTEGER, taker INTEGER, amount INTEGER);
CREATE TABLE history(number INTEGER, account INTEGER, balance INTEGER);
CREATE TRIGGER enough BEFORE INSERT ON round
WHEN (SELECT balance FROM account WHERE id = new.giver) < new.amount
BEGIN
    UPDATE account SET balance = balance + 1000 WHERE id = new.giver;
END;
CREATE TRIGGER transfer AFTER INSERT ON round
BEGIN
    UPDATE account SET balance = balance - new.amount WHERE id = new.giver;
    UPDATE account SET balance = balance + new.amount WHERE id = new.taker;
    INSERT INTO history SELECT new.number, id, balance FROM account WHERE id IN (new.giver, new.taker);
    DELETE FROM history WHERE number < new.number - 100;
END;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
INSERT INTO account SELECT i, 'owner ' || i, 100 * i FROM n;
BEGIN;
WITH RECURSIVE
    wanted(rounds) AS (
        SELECT CAST(replace(file, rtrim(file, replace(file, '/', '')), '') AS INTEGER)
        FROM pragma_database_list
    ),
    n(i) AS (SELECT 1 FROM wanted WHERE rounds > 0 UNION ALL SELECT i + 1 FROM n, wanted WHERE i < rounds)
INSERT INTO round SELECT i, i * 7 % 50 + 1, i * 11 % 50 + 1, i * 13 % 200 FROM n;
COMMIT;
SELECT count(*), sum(balance), (SELECT count(*) FROM history) FROM account;

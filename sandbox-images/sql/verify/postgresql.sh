# A server of its own in a folder of the run, reached by a socket there; psql is the client.
set -eu
folder=$(mktemp -d)
export PATH=/usr/lib/postgresql/17/bin:$PATH PGHOST=$folder PGUSER=tracer PGDATABASE=postgres
initdb --pgdata="$folder/data" --username=tracer --auth=trust --locale=C.UTF-8 --no-sync >"$folder/initdb.log"
pg_ctl --pgdata="$folder/data" --log="$folder/log" --wait start >"$folder/pg_ctl.log" \
    --options="-c listen_addresses= -c unix_socket_directories=$folder -c fsync=off" ||
    { cat "$folder/log" >&2; exit 1; }
trap 'pg_ctl --pgdata="$folder/data" --mode=immediate stop >/dev/null; rm -rf "$folder"' EXIT

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --tuples-only --no-align <<'SQL'
SELECT 'server ' || split_part(current_setting('server_version'), '.', 1);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TABLE reading (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    taken timestamptz NOT NULL,
    feeling mood NOT NULL DEFAULT 'ok',
    details jsonb NOT NULL CHECK (details ? 'place')
);
CREATE FUNCTION score(feeling mood) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE feeling WHEN 'sad' THEN -1 WHEN 'glad' THEN 1 ELSE 0 END;
END
$$;
SET timezone = 'UTC';
INSERT INTO reading (taken, feeling, details) VALUES
('2024-02-29 23:00+01', 'glad', '{"place": "home", "tags": ["a", "b"]}'),
('2024-03-01 08:00+00', 'sad', '{"place": "work"}'),
('2024-03-01 09:30+00', DEFAULT, '{"place": "home", "tags": []}');
SELECT taken::date, string_agg(details ->> 'place', '+' ORDER BY id), sum(score(feeling))
FROM reading GROUP BY 1 ORDER BY 1;
SELECT id, tag FROM reading, jsonb_array_elements_text(details -> 'tags') AS tag ORDER BY id, tag DESC;
SELECT array_agg(x ORDER BY x DESC) FROM generate_series(1, 9, 4) AS x;
DO $$
BEGIN
    INSERT INTO reading (taken, details) VALUES (now(), '{}');
EXCEPTION WHEN check_violation THEN
    INSERT INTO reading (taken, details) VALUES ('epoch', '{"place": "nowhere"}');
END
$$;
SELECT count(*), min(taken), to_char(12345.678, '999G999D99') FROM reading;
SQL

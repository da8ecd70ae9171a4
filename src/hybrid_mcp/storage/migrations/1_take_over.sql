-- From format 1, after the present tables were made. It knew no clients and no projects.
INSERT INTO entry (id, at, reservation, state, day, month, client, project, spent_delta, reserved_delta, request_id,
                   model, source, outcome, input_tokens, output_tokens, latency_ms, baseline)
SELECT id, at, reservation, iif(state = 'cached', 'free', state), day, month, '', month || ' ', spent_delta,
       reserved_delta, request_id, model, source, outcome, input_tokens, output_tokens, latency_ms, baseline
FROM old_entry;

INSERT INTO reservation (id, created_at, request_id, model, day, month, client, project, bound, state, owner,
                         expires_at)
SELECT id, created_at, request_id, model, day, month, '', month || ' ', bound, state, owner, expires_at
FROM old_reservation;

INSERT INTO balance (scope, period, spent, reserved) SELECT scope, period, spent, reserved FROM old_balance;
INSERT INTO balance (scope, period, spent, reserved)
SELECT 'client', '', sum(spent_delta), sum(reserved_delta) FROM old_entry HAVING count(*) > 0;
INSERT INTO balance (scope, period, spent, reserved)
SELECT 'project', month || ' ', sum(spent_delta), sum(reserved_delta) FROM old_entry GROUP BY month;

-- Leases of processes that may still be running.
INSERT INTO owner (id, seen_at) SELECT owner, max(created_at) FROM old_reservation GROUP BY owner;

-- A request counts once, at its last answer, and saves what all of its attempts left.
INSERT INTO tally (day, model, source, requests, input_tokens, output_tokens, cost, saved)
SELECT day, model, source, sum(answered), sum(input_tokens), sum(output_tokens), sum(spent_delta),
       sum(iif(answered AND baseline > spent, baseline - spent, 0))
FROM (
    SELECT *,
        id IS max(CASE WHEN outcome IN ('ok', 'doubtful') THEN id END) OVER request AS answered,
        sum(spent_delta) OVER request AS spent
    FROM old_entry WHERE outcome IS NOT NULL
    WINDOW request AS (PARTITION BY request_id)
)
GROUP BY day, model, source;

DROP TABLE old_entry;
DROP TABLE old_balance;
DROP TABLE old_reservation;

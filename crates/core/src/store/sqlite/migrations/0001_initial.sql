-- What an installation is, once.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Who may write and act. One row, made here: a claim reads it and never finds it missing.
CREATE TABLE lease (
    name    TEXT   NOT NULL PRIMARY KEY,
    holder  TEXT   NOT NULL,
    epoch   BIGINT NOT NULL,
    beat_ms BIGINT NOT NULL,
    ttl_ms  BIGINT NOT NULL
);
INSERT INTO lease (name, holder, epoch, beat_ms, ttl_ms) VALUES ('operator', '', 0, 0, 0);

-- `global`, or `subject:NAME`.
CREATE TABLE kill_switch (
    scope   TEXT    NOT NULL PRIMARY KEY,
    engaged INTEGER NOT NULL CHECK (engaged IN (0, 1)),
    gen     BIGINT  NOT NULL,
    by_name TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    at_ms   BIGINT  NOT NULL
);
INSERT INTO kill_switch (scope, engaged, gen, by_name, reason, at_ms) VALUES ('global', 0, 0, '', '', 0);

CREATE TABLE counter (
    subject   TEXT   NOT NULL PRIMARY KEY,
    tickets   BIGINT NOT NULL,
    incidents BIGINT NOT NULL,
    diagnoses BIGINT NOT NULL,
    intents   BIGINT NOT NULL
);

-- Pending ones too: grace survives a restart.
CREATE TABLE violation (
    subject       TEXT   NOT NULL,
    fingerprint   TEXT   NOT NULL,
    ticket_id     TEXT,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    body          TEXT   NOT NULL,
    PRIMARY KEY (subject, fingerprint)
);

CREATE TABLE incident (
    seq       INTEGER PRIMARY KEY,
    id        TEXT   NOT NULL UNIQUE,
    subject   TEXT   NOT NULL,
    opened_ms BIGINT NOT NULL,
    closed_ms BIGINT,
    body      TEXT   NOT NULL
);
CREATE INDEX incident_open ON incident (subject) WHERE closed_ms IS NULL;

CREATE TABLE ticket (
    seq         INTEGER PRIMARY KEY,
    id          TEXT   NOT NULL UNIQUE,
    subject     TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    incident_id TEXT   NOT NULL REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,
    state       TEXT   NOT NULL,
    opened_ms   BIGINT NOT NULL,
    resolved_ms BIGINT,
    body        TEXT   NOT NULL
);
CREATE UNIQUE INDEX ticket_open ON ticket (subject, fingerprint) WHERE state <> 'resolved';
CREATE INDEX ticket_incident ON ticket (incident_id);
CREATE INDEX ticket_resolved ON ticket (subject, resolved_ms) WHERE state = 'resolved';

CREATE TABLE diagnosis (
    seq         INTEGER PRIMARY KEY,
    id          TEXT   NOT NULL UNIQUE,
    subject     TEXT   NOT NULL,
    incident_id TEXT   NOT NULL REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,
    made_ms     BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX diagnosis_incident ON diagnosis (incident_id);

-- `body` is the proposal; everything that changes stands in columns.
CREATE TABLE intent (
    seq           INTEGER PRIMARY KEY,
    id            TEXT   NOT NULL UNIQUE,
    subject       TEXT   NOT NULL,
    incident_id   TEXT            REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,
    slot          TEXT   NOT NULL,
    kind          TEXT   NOT NULL,
    class         TEXT   NOT NULL,
    bind_hash     TEXT   NOT NULL,
    obs_hash      TEXT   NOT NULL,
    policy_rev    TEXT   NOT NULL,
    quorum        BIGINT NOT NULL,
    approvals_rev BIGINT NOT NULL,
    state         TEXT   NOT NULL,
    state_reason  TEXT   NOT NULL,
    attempt       BIGINT NOT NULL,
    epoch         BIGINT NOT NULL,
    send_by_ms    BIGINT,
    deadline_ms   BIGINT,
    created_ms    BIGINT NOT NULL,
    expires_ms    BIGINT NOT NULL,
    updated_ms    BIGINT NOT NULL,
    done_ms       BIGINT,
    version       BIGINT NOT NULL,
    undo_of       TEXT,
    body          TEXT   NOT NULL
);
CREATE UNIQUE INDEX intent_slot ON intent (slot)
    WHERE state IN ('dispatched', 'unknown', 'running', 'unsettled');
CREATE INDEX intent_active ON intent (subject)
    WHERE state NOT IN ('done', 'failed', 'cancelled', 'expired', 'settled_by_human');
CREATE INDEX intent_incident ON intent (incident_id);

CREATE TRIGGER intent_terminal BEFORE UPDATE ON intent
WHEN OLD.state IN ('done', 'failed', 'cancelled', 'expired', 'settled_by_human')
BEGIN
    SELECT RAISE(ABORT, 'an intent in a terminal state never changes');
END;
CREATE TRIGGER intent_bound BEFORE UPDATE ON intent
WHEN NEW.id <> OLD.id OR NEW.body <> OLD.body OR NEW.bind_hash <> OLD.bind_hash OR NEW.slot <> OLD.slot
BEGIN
    SELECT RAISE(ABORT, 'what an intent carries out never changes');
END;
CREATE TRIGGER intent_kept BEFORE DELETE ON intent
BEGIN
    SELECT RAISE(ABORT, 'an intent is never deleted');
END;

CREATE TABLE attempt (
    intent_id       TEXT   NOT NULL REFERENCES intent (id),
    attempt         BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    began_ms        BIGINT NOT NULL,
    ended_ms        BIGINT,
    outcome         TEXT,
    response_sha256 TEXT,
    PRIMARY KEY (intent_id, attempt)
);

CREATE TABLE approval (
    seq        INTEGER PRIMARY KEY,
    intent_id  TEXT   NOT NULL REFERENCES intent (id),
    approver   TEXT   NOT NULL,
    bind_hash  TEXT   NOT NULL,
    decision   TEXT   NOT NULL,
    at_ms      BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    body       TEXT   NOT NULL
);
CREATE INDEX approval_intent ON approval (intent_id);

CREATE TABLE verification (
    seq       INTEGER PRIMARY KEY,
    intent_id TEXT   NOT NULL REFERENCES intent (id) DEFERRABLE INITIALLY DEFERRED,
    ended_ms  BIGINT NOT NULL,
    body      TEXT   NOT NULL
);
CREATE INDEX verification_intent ON verification (intent_id);

-- `win_ms` is when the window began, a whole multiple of `window_ms`.
CREATE TABLE budget (
    scope     TEXT   NOT NULL,
    window_ms BIGINT NOT NULL,
    win_ms    BIGINT NOT NULL,
    used      BIGINT NOT NULL,
    cap       BIGINT NOT NULL,
    PRIMARY KEY (scope, window_ms, win_ms),
    CHECK (used <= cap)
);

CREATE TABLE audit (
    seq   INTEGER PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT   NOT NULL,
    kind  TEXT   NOT NULL,
    ref   TEXT   NOT NULL,
    body  TEXT   NOT NULL,
    prev  TEXT   NOT NULL,
    hash  TEXT   NOT NULL
);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit row never changes');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an audit row is never deleted');
END;

-- The end of the chain: what a chain whose last rows are missing is found out by. The first row is written with the
-- installation's id.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT  NOT NULL,
    hash TEXT    NOT NULL
);
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
WHEN NEW.seq <= OLD.seq
BEGIN
    SELECT RAISE(ABORT, 'the audit chain only grows');
END;
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'the end of the audit chain is never deleted');
END;

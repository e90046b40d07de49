-- What a diagnosis rests on, so that it can be checked later.
CREATE TABLE evidence (
    diagnosis_id TEXT NOT NULL PRIMARY KEY REFERENCES diagnosis (id) DEFERRABLE INITIALLY DEFERRED,
    body         TEXT NOT NULL
);

-- How answers that a model took part in were reached; by the diagnosis that stood then.
CREATE TABLE deliberation (
    seq          INTEGER PRIMARY KEY,
    diagnosis_id TEXT   NOT NULL REFERENCES diagnosis (id) DEFERRABLE INITIALLY DEFERRED,
    at_ms        BIGINT NOT NULL,
    body         TEXT   NOT NULL
);
CREATE INDEX deliberation_diagnosis ON deliberation (diagnosis_id);

-- Incidents that are over, as what resembles them is found: one row an incident, the last time it ended. A replay
-- knows of incidents whose own rows it does not have.
CREATE TABLE past_case (
    incident_id TEXT   NOT NULL PRIMARY KEY,
    subject     TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    closed_ms   BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX past_case_kind ON past_case (kind, closed_ms);

-- What people said of diagnoses. Nothing is ever changed: the last row of an incident counts.
CREATE TABLE mark (
    seq         INTEGER PRIMARY KEY,
    subject     TEXT   NOT NULL,
    incident_id TEXT   NOT NULL,
    at_ms       BIGINT NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX mark_incident ON mark (incident_id);

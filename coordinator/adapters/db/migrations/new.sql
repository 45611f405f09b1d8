CREATE TABLE agent_credentials (
	agent_id VARCHAR NOT NULL,
	secret_sha256 VARCHAR NOT NULL,
	broker_hash VARCHAR NOT NULL,
	issued_at DATETIME NOT NULL,
	token_id VARCHAR NOT NULL,
	revoked_at DATETIME,
	PRIMARY KEY (agent_id)
);
CREATE TABLE agents (
	agent_id VARCHAR NOT NULL,
	online BOOLEAN NOT NULL,
	boot_id VARCHAR NOT NULL,
	connection_id VARCHAR NOT NULL,
	journal_id VARCHAR NOT NULL,
	build VARCHAR NOT NULL,
	seen_at DATETIME NOT NULL, retired_at DATETIME,
	PRIMARY KEY (agent_id)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0021');
CREATE TABLE api_key_uses (
	key_id VARCHAR NOT NULL,
	used_at DATETIME NOT NULL,
	PRIMARY KEY (key_id)
);
CREATE TABLE api_keys (
	key_id VARCHAR NOT NULL,
	user_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	scopes JSON NOT NULL,
	secret_sha256 VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	expires_at DATETIME,
	revoked_at DATETIME,
	PRIMARY KEY (key_id),
	FOREIGN KEY(user_id) REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE artifacts (
	sha256 VARCHAR NOT NULL,
	kind VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	size_bytes INTEGER NOT NULL,
	created_at DATETIME NOT NULL,
	PRIMARY KEY (sha256)
);
CREATE TABLE checkpoint_rows (
	subject VARCHAR NOT NULL,
	subject_id VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	"row" VARCHAR NOT NULL,
	PRIMARY KEY (subject, subject_id)
);
CREATE TABLE checkpoints (
	number INTEGER NOT NULL,
	hash VARCHAR NOT NULL,
	rows_sha256 VARCHAR NOT NULL,
	archive_sha256 VARCHAR NOT NULL,
	PRIMARY KEY (number)
);
CREATE TABLE chosen_settings (
	name VARCHAR NOT NULL,
	value JSON NOT NULL,
	chosen_by VARCHAR NOT NULL,
	chosen_at DATETIME NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE enrolment_tokens (
	token_id VARCHAR NOT NULL,
	agent_id VARCHAR,
	secret_sha256 VARCHAR NOT NULL,
	made_by VARCHAR NOT NULL,
	made_at DATETIME NOT NULL,
	expires_at DATETIME NOT NULL,
	used_by VARCHAR,
	used_at DATETIME,
	used_secret_sha256 VARCHAR NOT NULL,
	PRIMARY KEY (token_id)
);
CREATE TABLE events (
	number INTEGER NOT NULL,
	at VARCHAR NOT NULL,
	actor VARCHAR NOT NULL,
	origin VARCHAR NOT NULL,
	cause VARCHAR NOT NULL,
	subject VARCHAR NOT NULL,
	subject_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	facts VARCHAR NOT NULL,
	changes VARCHAR NOT NULL,
	hash VARCHAR NOT NULL,
	PRIMARY KEY (number)
);
CREATE TABLE generations (
	generation_id VARCHAR NOT NULL,
	provider VARCHAR NOT NULL,
	service VARCHAR NOT NULL,
	owner VARCHAR NOT NULL,
	approved BOOLEAN NOT NULL,
	asked JSON NOT NULL,
	fingerprint VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	task_id VARCHAR NOT NULL,
	handle JSON,
	submits INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	looks INTEGER NOT NULL,
	renewals INTEGER NOT NULL,
	recalls INTEGER NOT NULL,
	next_at DATETIME,
	submitted_at DATETIME,
	deadline_at DATETIME,
	cancel_wanted BOOLEAN NOT NULL,
	waits VARCHAR NOT NULL,
	progress FLOAT,
	stage VARCHAR NOT NULL,
	queue_position INTEGER,
	parcels JSON NOT NULL,
	model_id VARCHAR NOT NULL,
	versions JSON NOT NULL,
	job_id VARCHAR NOT NULL,
	said VARCHAR NOT NULL,
	told JSON NOT NULL,
	remarks JSON NOT NULL,
	trouble JSON,
	worker VARCHAR NOT NULL,
	leased_until DATETIME,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	version INTEGER NOT NULL, job_ids JSON DEFAULT '[]' NOT NULL, doubtful BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (generation_id)
);
CREATE TABLE history (
	id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	hash VARCHAR NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "history" VALUES(1,0,'0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE jobs (
	job_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	model_sha256 VARCHAR,
	copies INTEGER NOT NULL,
	material VARCHAR NOT NULL,
	quality VARCHAR NOT NULL,
	printer_class VARCHAR NOT NULL,
	printer_id VARCHAR,
	overrides JSON NOT NULL,
	priority INTEGER NOT NULL,
	held BOOLEAN NOT NULL,
	retries_max INTEGER NOT NULL,
	state VARCHAR NOT NULL,
	reason VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	version INTEGER NOT NULL, copies_per_plate INTEGER DEFAULT '1' NOT NULL, owner VARCHAR DEFAULT '' NOT NULL, approved BOOLEAN DEFAULT 1 NOT NULL, model_id VARCHAR DEFAULT '' NOT NULL, model_version INTEGER DEFAULT '0' NOT NULL, printer_group VARCHAR DEFAULT '' NOT NULL, printer_tags JSON DEFAULT '[]' NOT NULL, due_at DATETIME, place_at DATETIME, place_due_at DATETIME,
	PRIMARY KEY (job_id)
);
CREATE TABLE maintenance (
	upkeep_id VARCHAR NOT NULL,
	printer_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	every_h FLOAT,
	every_days FLOAT,
	since DATETIME NOT NULL,
	done_by VARCHAR NOT NULL,
	archived BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (upkeep_id)
);
CREATE TABLE model_versions (
	model_id VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	sha256 VARCHAR NOT NULL,
	file_name VARCHAR NOT NULL,
	source_sha256 VARCHAR NOT NULL,
	language VARCHAR NOT NULL,
	size_bytes INTEGER NOT NULL,
	triangles INTEGER NOT NULL,
	size_mm JSON NOT NULL,
	parameters JSON NOT NULL,
	remarks JSON NOT NULL,
	pictures JSON NOT NULL,
	origin_kind VARCHAR NOT NULL,
	origin_generation_id VARCHAR NOT NULL,
	origin_provider VARCHAR NOT NULL,
	origin_service VARCHAR NOT NULL,
	origin_service_model VARCHAR NOT NULL,
	origin_prompt VARCHAR NOT NULL,
	origin_url VARCHAR NOT NULL,
	origin_author VARCHAR NOT NULL,
	origin_licence VARCHAR NOT NULL,
	origin_cost VARCHAR NOT NULL,
	origin_tool VARCHAR NOT NULL,
	origin_seed INTEGER,
	origin_parents JSON NOT NULL,
	origin_facts JSON NOT NULL,
	note VARCHAR NOT NULL,
	author VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	PRIMARY KEY (model_id, number),
	FOREIGN KEY(model_id) REFERENCES models (model_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE models (
	model_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	description VARCHAR NOT NULL,
	project_id VARCHAR NOT NULL,
	owner VARCHAR NOT NULL,
	tags JSON NOT NULL,
	latest INTEGER NOT NULL,
	archived BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (model_id)
);
CREATE TABLE notice_channels (
	name VARCHAR NOT NULL,
	cursor INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	due_at DATETIME,
	PRIMARY KEY (name)
);
CREATE TABLE outbox (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	printer_id VARCHAR NOT NULL
);
CREATE TABLE passwords (
	user_id VARCHAR NOT NULL,
	hashed VARCHAR NOT NULL,
	PRIMARY KEY (user_id),
	FOREIGN KEY(user_id) REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE plates (
	job_id VARCHAR NOT NULL,
	printer_class VARCHAR NOT NULL,
	sha256 VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	size_bytes INTEGER NOT NULL,
	material VARCHAR NOT NULL,
	time_s FLOAT,
	filament_mm FLOAT,
	filament_g FLOAT,
	layer_count INTEGER,
	line_count INTEGER,
	engine VARCHAR NOT NULL, state VARCHAR DEFAULT 'made' NOT NULL, reason VARCHAR DEFAULT '' NOT NULL, cost FLOAT, pictures JSON DEFAULT '{}' NOT NULL, remarks JSON DEFAULT '[]' NOT NULL, copies INTEGER DEFAULT '1' NOT NULL,
	PRIMARY KEY (job_id, printer_class),
	FOREIGN KEY(job_id) REFERENCES jobs (job_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE played (
	id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (id)
);
CREATE TABLE printers (
	printer_id VARCHAR NOT NULL,
	agent_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	printer_class VARCHAR NOT NULL,
	driver VARCHAR NOT NULL,
	material VARCHAR NOT NULL,
	can_pause BOOLEAN NOT NULL,
	online BOOLEAN NOT NULL,
	seen VARCHAR NOT NULL,
	message VARCHAR NOT NULL,
	"foreign" BOOLEAN NOT NULL,
	in_service BOOLEAN NOT NULL,
	bed_state VARCHAR NOT NULL,
	bed_journal_id VARCHAR,
	bed_occupation INTEGER NOT NULL,
	bed_cleared INTEGER,
	bed_changed_by VARCHAR NOT NULL,
	bed_changed_at DATETIME,
	epoch INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	run_id VARCHAR,
	journal_id VARCHAR,
	events_applied INTEGER NOT NULL,
	quarantine VARCHAR NOT NULL, bed_policy VARCHAR DEFAULT 'attended' NOT NULL, staged JSON DEFAULT '[]' NOT NULL, spool_id VARCHAR DEFAULT '' NOT NULL, printer_group VARCHAR DEFAULT '' NOT NULL, tags JSON DEFAULT '[]' NOT NULL, location VARCHAR DEFAULT '' NOT NULL, notes VARCHAR DEFAULT '' NOT NULL, since DATETIME, retired_at DATETIME,
	PRIMARY KEY (printer_id)
);
CREATE TABLE projects (
	project_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	description VARCHAR NOT NULL,
	owner VARCHAR NOT NULL,
	archived BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (project_id)
);
CREATE TABLE provider_charges (
	generation_id VARCHAR NOT NULL,
	submit INTEGER NOT NULL,
	provider VARCHAR NOT NULL,
	owner VARCHAR NOT NULL,
	unit VARCHAR NOT NULL,
	day DATE NOT NULL,
	estimated BIGINT NOT NULL,
	reserved BIGINT NOT NULL,
	charged BIGINT,
	PRIMARY KEY (generation_id, submit)
);
CREATE TABLE receipts (
	"key" VARCHAR NOT NULL,
	at DATETIME NOT NULL,
	fingerprint VARCHAR NOT NULL,
	subject_id VARCHAR NOT NULL,
	answer VARCHAR NOT NULL,
	PRIMARY KEY ("key")
);
CREATE TABLE releases (
	version VARCHAR NOT NULL,
	sha256 VARCHAR NOT NULL,
	size_bytes INTEGER NOT NULL,
	signature VARCHAR NOT NULL,
	key_name VARCHAR NOT NULL,
	protocol_min INTEGER NOT NULL,
	protocol_max INTEGER NOT NULL,
	words VARCHAR NOT NULL,
	added_by VARCHAR NOT NULL,
	added_at DATETIME NOT NULL,
	PRIMARY KEY (version)
);
CREATE TABLE rollouts (
	rollout_id VARCHAR NOT NULL,
	version VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	agents JSON NOT NULL,
	soak_s FLOAT NOT NULL,
	start_s FLOAT NOT NULL,
	troubles_max INTEGER NOT NULL,
	words VARCHAR NOT NULL,
	made_by VARCHAR NOT NULL,
	made_at DATETIME NOT NULL,
	changed_at DATETIME NOT NULL,
	PRIMARY KEY (rollout_id)
);
CREATE TABLE runs (
	run_id VARCHAR NOT NULL,
	job_id VARCHAR NOT NULL,
	printer_id VARCHAR NOT NULL,
	agent_id VARCHAR NOT NULL,
	epoch INTEGER NOT NULL,
	plate_sha256 VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	mode VARCHAR NOT NULL,
	nonce VARCHAR,
	leased_at DATETIME NOT NULL,
	started_at DATETIME,
	ended_at DATETIME,
	line INTEGER NOT NULL,
	layer INTEGER NOT NULL,
	reason VARCHAR NOT NULL,
	facts JSON NOT NULL, copies INTEGER DEFAULT '1' NOT NULL,
	PRIMARY KEY (run_id),
	FOREIGN KEY(printer_id) REFERENCES printers (printer_id) DEFERRABLE INITIALLY DEFERRED,
	FOREIGN KEY(job_id) REFERENCES jobs (job_id) DEFERRABLE INITIALLY DEFERRED,
	UNIQUE (printer_id, epoch)
);
CREATE TABLE sessions (
	session_id VARCHAR NOT NULL,
	user_id VARCHAR NOT NULL,
	secret_sha256 VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	seen_at DATETIME NOT NULL,
	address VARCHAR NOT NULL,
	browser VARCHAR NOT NULL,
	PRIMARY KEY (session_id),
	FOREIGN KEY(user_id) REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE spells (
	number INTEGER NOT NULL,
	printer_id VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	since DATETIME NOT NULL,
	until DATETIME NOT NULL,
	cleared BOOLEAN NOT NULL,
	PRIMARY KEY (number)
);
CREATE TABLE spools (
	spool_id VARCHAR NOT NULL,
	material VARCHAR NOT NULL,
	colour VARCHAR NOT NULL,
	vendor VARCHAR NOT NULL,
	weight_g FLOAT NOT NULL,
	remaining_g FLOAT NOT NULL,
	cost FLOAT,
	lot VARCHAR NOT NULL,
	location VARCHAR NOT NULL,
	notes VARCHAR NOT NULL,
	printer_id VARCHAR,
	tool INTEGER NOT NULL,
	archived BOOLEAN NOT NULL,
	created_at DATETIME NOT NULL,
	updated_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (spool_id)
);
CREATE TABLE standings (
	printer_id VARCHAR NOT NULL,
	status VARCHAR NOT NULL,
	since DATETIME NOT NULL,
	fields JSON NOT NULL,
	PRIMARY KEY (printer_id)
);
CREATE TABLE token_families (
	family_id VARCHAR NOT NULL,
	user_id VARCHAR NOT NULL,
	secret_sha256 VARCHAR NOT NULL,
	created_at DATETIME NOT NULL,
	renewed_at DATETIME NOT NULL,
	PRIMARY KEY (family_id),
	FOREIGN KEY(user_id) REFERENCES users (user_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE users (
	user_id VARCHAR NOT NULL,
	name VARCHAR NOT NULL,
	role VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	subject VARCHAR NOT NULL,
	jobs_open_max INTEGER,
	grams_per_month FLOAT,
	created_at DATETIME NOT NULL,
	PRIMARY KEY (user_id)
);
CREATE TABLE webhook_deliveries (
	endpoint_id VARCHAR NOT NULL,
	number INTEGER NOT NULL,
	message_id VARCHAR NOT NULL,
	type VARCHAR NOT NULL,
	state VARCHAR NOT NULL,
	attempts INTEGER NOT NULL,
	status INTEGER,
	words VARCHAR NOT NULL,
	elapsed_ms INTEGER NOT NULL,
	first_at DATETIME NOT NULL,
	last_at DATETIME NOT NULL,
	PRIMARY KEY (endpoint_id, number)
);
CREATE TABLE webhook_endpoints (
	endpoint_id VARCHAR NOT NULL,
	url VARCHAR NOT NULL,
	types JSON NOT NULL,
	description VARCHAR NOT NULL,
	enabled BOOLEAN NOT NULL,
	disabled_reason VARCHAR NOT NULL,
	secret VARCHAR NOT NULL,
	previous_secret VARCHAR NOT NULL,
	previous_until DATETIME,
	cursor INTEGER NOT NULL,
	failures INTEGER NOT NULL,
	failing_since DATETIME,
	due_at DATETIME,
	created_at DATETIME NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (endpoint_id)
);
CREATE INDEX ix_jobs_state ON jobs (state);
CREATE INDEX ix_printers_agent_id ON printers (agent_id);
CREATE INDEX ix_runs_job_id ON runs (job_id);
CREATE INDEX ix_runs_printer_id ON runs (printer_id);
CREATE INDEX ix_runs_state ON runs (state);
CREATE INDEX ix_events_subject_id ON events (subject_id);
CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END;
CREATE TRIGGER history_refuse_delete BEFORE DELETE ON history BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END;
CREATE TRIGGER events_refuse_gap BEFORE INSERT ON events WHEN NEW.number <> (SELECT number FROM history) + 1 BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END;
CREATE TRIGGER events_move_end AFTER INSERT ON events BEGIN UPDATE history SET number = NEW.number, hash = NEW.hash; END;
CREATE INDEX ix_plates_state ON plates (state);
CREATE INDEX ix_events_at ON events (at, number);
CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events WHEN OLD.number > (SELECT coalesce(max(number), 0) FROM checkpoints) BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END;
CREATE TRIGGER checkpoints_refuse_update BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END;
CREATE TRIGGER checkpoints_refuse_delete BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'history is only appended to'); END;
CREATE INDEX ix_jobs_arrival ON jobs (created_at, job_id);
CREATE INDEX ix_jobs_state_arrival ON jobs (state, created_at, job_id);
CREATE INDEX ix_receipts_at ON receipts (at);
CREATE INDEX ix_jobs_owner ON jobs (owner);
CREATE UNIQUE INDEX ix_users_name ON users (name);
CREATE INDEX ix_users_subject ON users (subject);
CREATE UNIQUE INDEX ix_sessions_secret_sha256 ON sessions (secret_sha256);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_token_families_user_id ON token_families (user_id);
CREATE INDEX ix_webhook_deliveries_last ON webhook_deliveries (endpoint_id, last_at);
CREATE INDEX ix_jobs_model_id ON jobs (model_id);
CREATE INDEX ix_projects_arrival ON projects (created_at, project_id);
CREATE INDEX ix_models_project_id ON models (project_id);
CREATE INDEX ix_models_arrival ON models (created_at, model_id);
CREATE INDEX ix_model_versions_sha256 ON model_versions (sha256);
CREATE INDEX ix_model_versions_origin_generation_id ON model_versions (origin_generation_id);
CREATE INDEX ix_spools_arrival ON spools (created_at, spool_id);
CREATE INDEX ix_spools_printer_id ON spools (printer_id);
CREATE INDEX ix_maintenance_printer_id ON maintenance (printer_id);
CREATE INDEX ix_generations_arrival ON generations (created_at, generation_id);
CREATE INDEX ix_generations_due ON generations (next_at, state);
CREATE INDEX ix_generations_task ON generations (provider, task_id);
CREATE INDEX ix_generations_state ON generations (provider, state);
CREATE INDEX ix_generations_fingerprint ON generations (fingerprint);
CREATE INDEX ix_generations_model_id ON generations (model_id);
CREATE INDEX ix_provider_charges_day ON provider_charges (day, unit);
CREATE INDEX ix_generations_owner_state ON generations (owner, state);
CREATE INDEX ix_spells_until ON spells (until);
CREATE INDEX ix_runs_ended_at ON runs (ended_at, run_id);
DELETE FROM "sqlite_sequence";

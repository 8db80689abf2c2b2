# 育み Hagukumi. `make` alone says what there is; every step says one line when it starts.
# A fresh machine needs Python 3.11 or newer and make. The rest (uv, Node, PostgreSQL) comes as pinned, hashed wheels.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STAMPS := .venv/.stamps
UV := $(BIN)/uv pip install --quiet --require-hashes
NODE := $(BIN)/python -m hagukumi.embedded.node
FRONT := $(shell find frontend src/hagukumi/screens -type f \( -path 'frontend/*' -o -name '*.ts' -o -name '*.tsx' \) \
	-not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
CATALOGUES := $(shell find src/hagukumi -name '*.po' 2>/dev/null)
say = @printf '→ %s\n'

.PHONY: help up test lint types layers islands unit browser e2e mutate bench lock front clean

help: ## このヘルプ / this help
	@printf '育み Hagukumi\n\n'
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@printf '\n  PORT=9000 make up           別のポートで / on another port\n'
	@printf '  HAGUKUMI_HOME=/data make up データの置き場所 / where the data lives\n'

up: $(STAMPS)/run $(STAMPS)/project frontend/dist/.built $(STAMPS)/catalogues ## すべて用意して起動（初回は数分） / prepare everything and start
	$(say) '起動します / starting'
	@exec $(BIN)/hagukumi up

test: lint types layers islands unit e2e ## すべての検査とテスト / every check and test
	@printf '✓ すべて通りました / all passed\n'

lint: $(STAMPS)/dev $(STAMPS)/project frontend/node_modules/.installed ## 書き方の検査（ruff、djangofmt、oxlint） / style
	$(say) '書き方の検査 / ruff, djangofmt, oxlint'
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/djangofmt --quiet --check src || { echo 'テンプレートは djangofmt src で整います / djangofmt src mends templates'; exit 1; }
	@$(BIN)/python -m hagukumi.kit.template_lines
	@cd frontend && ../$(NODE) npm run --silent lint

types: $(STAMPS)/dev $(STAMPS)/project ## 型の検査（mypy） / types
	$(say) '型の検査 / mypy'
	@$(BIN)/mypy

layers: $(STAMPS)/dev $(STAMPS)/project ## 部屋の間の import の検査 / one-way imports between the rooms
	$(say) '部屋の境界の検査 / import-linter'
	@$(BIN)/lint-imports

islands: frontend/node_modules/.installed ## 画面の部品のテスト（vitest） / tests of the islands
	$(say) 'テスト（画面の部品） / tests: islands'
	@cd frontend && ../$(NODE) npm run --silent test

unit: $(STAMPS)/dev $(STAMPS)/project frontend/dist/.built $(STAMPS)/catalogues ## 単体・データベース・SMTP / unit, database, SMTP
	$(say) 'テスト（単体・データベース・SMTP） / tests: unit, database, SMTP'
	@$(BIN)/pytest -n 2 --dist loadfile -m 'not browser' $(ARGS)

e2e: $(STAMPS)/dev $(STAMPS)/project frontend/dist/.built $(STAMPS)/catalogues browser ## ブラウザのテスト / browser tests
	$(say) 'テスト（ブラウザ） / tests: browser'
	@$(BIN)/pytest -m browser $(ARGS); code=$$?; test $$code -eq 5 || exit $$code

mutate: $(STAMPS)/dev $(STAMPS)/project frontend/dist/.built $(STAMPS)/catalogues ## わざと壊してテストが気づくか（NAME=judge など） / break it on purpose: do the tests notice?
	$(say) 'わざと壊します / mutations'
	@$(BIN)/python tests/mutations/run.py $(NAME)

bench: $(STAMPS)/dev $(STAMPS)/project $(STAMPS)/catalogues ## 性能を測る（NAME=w1 など） / measure (NAME=w1)
	@for name in $${NAME:-w1 w2 w6 w7 heart}; do $(BIN)/hagukumi bench $$name --json || exit $$?; done

lock: $(STAMPS)/uv ## 依存の固定ファイルを作り直す / write the lock files anew
	$(say) '依存を固定します / locking the dependencies'
	@requirements/lock.sh
	@! grep -nE 'https?:' requirements/*.lock

front: frontend/dist/.built ## 画面の部品を組み立てる / build the front end

clean: ## 作ったものを消す（データ var/ は残す） / remove what was built (keeps the data in var/)
	$(say) '片付けます / cleaning'
	@rm -rf .venv frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# -- what the above stand on --------------------------------------------------------------------------------------

$(STAMPS)/uv: requirements/bootstrap.lock
	@test -n '$(PYTHON)' || { echo 'Python 3.11 以上が必要です / Python 3.11 or newer is needed' >&2; exit 1; }
	$(say) 'Python の環境を作ります / making the Python environment'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; \
		echo 'venv がありません: apt-get install python3-venv / Python lacks venv: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements/run.lock $(STAMPS)/uv
	$(say) '依存を入れます / installing the dependencies'
	@$(UV) --python $(BIN)/python -r requirements/run.lock
	@touch $@

$(STAMPS)/dev: requirements/dev.lock $(STAMPS)/run
	$(say) 'テストの道具を入れます / installing the tools of the tests'
	@$(UV) --python $(BIN)/python -r requirements/dev.lock
	@touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/run
	$(say) '育みを入れます / installing Hagukumi itself'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json $(STAMPS)/project
	$(say) '画面の部品の依存を入れます / installing the front end'"'"'s dependencies'
	@cd frontend && ../$(NODE) npm ci --no-audit --no-fund --no-update-notifier --loglevel=error --silent
	@touch $@

frontend/dist/.built: $(FRONT) frontend/node_modules/.installed
	$(say) '画面の部品を組み立てます / building the front end'
	@cd frontend && ../$(NODE) npm run --silent build >../$(STAMPS)/front.log 2>&1 || { cat ../$(STAMPS)/front.log; exit 1; }
	@touch $@

$(STAMPS)/catalogues: $(CATALOGUES) $(STAMPS)/project
	$(say) '文言を組み立てます / compiling the catalogues'
	@$(BIN)/hagukumi messages-compile
	@touch $@

browser:
	@PATH="$$PATH" requirements/browser.sh

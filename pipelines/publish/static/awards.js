// The search of awards: those of the years and départements asked for are read, then filtered on the spot.
(function () {
  "use strict";
  var kit = window.QFQ, given = kit.given, all = kit.all, words = kit.words, fold = kit.fold, count = kit.count, plural
    = kit.plural, make = kit.make, table = kit.table, csv = kit.csv, save = kit.save, tools = kit.tools, state =
    kit.state, keep = kit.keep, late = kit.late, award = kit.award, awardColumns = kit.awardColumns, arranged =
    kit.arranged, turned = kit.turned, PAGE = kit.PAGE;
  var names;

  function awards(form) {
    var status = form.querySelector("[role=status]"), place = document.getElementById("resultats"), fields = form.elements;
    var turn = 0, timer, sorted = 0, agreed = 4e6;

    function option(field, code, text) { fields[field].append(make("option", text, { value: code })); }
    Array.from(new Set(given.awards.map(function (entry) { return entry[0]; }))).sort().reverse().forEach(function (year) { option("annee", year, year); });
    Array.from(new Set(given.awards.map(function (entry) { return entry[1]; }))).sort().forEach(function (code) { option("dep", code, names.d[code] || code); });
    Object.keys(names.f).sort(function (a, b) { return fold(names.f[a][0]) < fold(names.f[b][0]) ? -1 : 1; }).forEach(function (id) { option("financeur", id, names.f[id][0]); });
    Object.keys(names.t).forEach(function (code) { option("theme", code, names.t[code]); });

    function search(page, focus) {
      var mine = ++turn, year = fields.annee.value, code = fields.dep.value;
      keep({ q: fields.q.value.trim(), annee: year === String(given.year) ? "" : year, dep: code, financeur: fields.financeur.value, theme: fields.theme.value, p: page > 1 ? page : "", tri: sorted });
      var scope = given.awards.filter(function (entry) {
        return (year === "toutes" || String(entry[0]) === year) && (!code || entry[1] === code);
      });
      var size = scope.reduce(function (sum, entry) { return sum + entry[3]; }, 0);
      if (size > agreed) {
        place.replaceChildren();
        status.textContent = "";
        var megabytes = String(Math.ceil(size / 1e6));
        var button = make("button", "Charger ces données (" + megabytes + NBSP + "Mo)", { type: "button" });
        button.addEventListener("click", function () { agreed = size; search(page); });
        var told = make("p", null, { className: "tools" });
        told.append(button, " ou choisissez une année ou un département.");
        place.append(told);
        return;
      }
      status.textContent = "Lecture\u2026";
      all("a", [].concat.apply([], scope.map(function (entry) { return entry.slice(4); }))).then(function (shards) {
        if (mine !== turn) return;
        var wanted = words(fields.q.value), rows = [], read = 0;
        shards.forEach(function (shard) { read += shard.r.length; pick(shard, wanted, rows); });
        rows = sorted ? arranged(rows, awardColumns, sorted) : rows.sort(function (a, b) { return b.year - a.year || (b.amount || 0) - (a.amount || 0); });
        show(rows, read, page, focus);
      }).catch(late(status));
    }

    // The rows of a shard that have every word, each looked for once in the values that rows share.
    function pick(shard, wanted, rows) {
      function has(text) { var folded = kit.sought(text); return wanted.map(function (word) { return folded.includes(word); }); }
      var people = shard.b.map(function (who) { return has(who.slice(1).join(" ")); }), titles = shard.v[2].map(has);
      var funders = shard.v[0].map(function (id) { return has((names.f[id] || [id])[0]); });
      var only = fields.financeur.value && shard.v[0].indexOf(fields.financeur.value), theme = fields.theme.value && shard.v[3].indexOf(fields.theme.value);
      if (only === -1 || theme === -1) return;
      shard.r.forEach(function (row) {
        if ((only !== "" && row[3] !== only) || (theme !== "" && row[6] !== theme)) return;
        var kept = wanted.every(function (_, word) {
          return people[row[0]][word] || funders[row[3]][word] || (row[5] >= 0 && titles[row[5]][word]);
        });
        if (kept) rows.push(award(shard, row, 1, shard.b[row[0]]));
      });
    }

    function show(rows, read, page, focus) {
      var last = Math.ceil(rows.length / PAGE) || 1, number = Math.min(page, last), from = (number - 1) * PAGE;
      status.textContent = plural(rows.length, "attribution") + " sur " + count(read) + (read < given.total ? " lues (" + count(given.total) + " en tout)" : "");
      place.replaceChildren();
      if (!rows.length) return;
      var caption = "Attributions trouvées" + (rows.length > PAGE ? ", lignes " + count(from + 1) + " à " + count(Math.min(rows.length, from + PAGE)) + " sur " + count(rows.length) : "");
      place.append(table("resultats-table", caption, awardColumns, rows.slice(from, from + PAGE), function (column) {
        sorted = turned(awardColumns, sorted, column);
        search(1, column);
      }, sorted));
      place.append(tools(number, last, search, rows.length, function () { save("attributions.csv", csv(awardColumns, rows)); }));
      if (focus !== undefined) place.querySelectorAll("thead button")[focus].focus();
    }

    function restore() {
      var told = state();
      fields.q.value = told.get("q") || "";
      [["annee", String(given.year)], ["dep", ""], ["financeur", ""], ["theme", ""]].forEach(function (pair) {
        fields[pair[0]].value = told.get(pair[0]) || pair[1];
        if (fields[pair[0]].selectedIndex < 0) fields[pair[0]].value = pair[1];
      });
      sorted = Math.abs(Number(told.get("tri"))) <= awardColumns.length ? Number(told.get("tri")) : 0;
      search(Number(told.get("p")) || 1);
    }
    form.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(function () { search(1); }, 120); });
    form.addEventListener("submit", function (event) { event.preventDefault(); clearTimeout(timer); search(1); });
    window.addEventListener("hashchange", restore);
    restore();
  }

  kit.page("chercher-attributions", function (place, known) {
    names = known;
    awards(place);
  });
})();

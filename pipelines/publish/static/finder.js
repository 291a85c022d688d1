// The search of beneficiaries: words are crossed through their lists of holders, so that no answer is cut short.
(function () {
  "use strict";
  var kit = window.QFQ, given = kit.given, all = kit.all, words = kit.words, count = kit.count, plural = kit.plural,
    money = kit.money, table = kit.table, csv = kit.csv, save = kit.save, tools = kit.tools, state = kit.state,
    keep = kit.keep, late = kit.late, leads = kit.leads, LINE = kit.LINE, at = kit.at, stageWords = kit.stageWords,
    root = kit.root, PAGE = kit.PAGE;
  var names;

  var lineColumns = [
    { t: "Bénéficiaire", c: "name", v: at("name"), head: true, h: function (row) {
      return row[LINE.page] ? root + "beneficiaires/" + row[LINE.page] + ".html" : leads(row[LINE.id]);
    } },
    { t: "SIREN", c: "siren", v: at("siren"), code: true, b: "non renseigné" },
    { t: "Commune du siège", c: "commune_name", v: at("commune"), b: "non renseignée" },
    { t: "Département", c: "departement_code", v: at("place"), b: "non renseigné", w: function (row) { return names.d[row[LINE.place]] || row[LINE.place]; } },
    { t: "Premier exercice", c: "first_year", v: at("first"), n: true },
    { t: "Dernier exercice", c: "last_year", v: at("last"), n: true },
    { t: "Années financées", c: "years_funded", v: at("years"), n: true, w: function (row) { return count(row[LINE.years]); } },
    { t: "Financeurs", c: "n_funders", v: at("funders"), n: true, w: function (row) { return count(row[LINE.funders]); } },
    { t: "Montant total", c: "amount_total", v: at("amount"), n: true, w: function (row) { return money(row[LINE.amount], row[LINE.currency]); } },
    { t: "Monnaie", c: "currency", v: at("currency") },
    { t: "Nature du montant", c: "stage", v: at("stage"), w: stageWords }
  ];

  function steps(text) {
    var sum = 0;
    return text.split(" ").map(function (step) { sum += parseInt(step, 36); return sum; });
  }

  function holders(word) {
    var whole = word.length < 3, last = whole ? word : word + "\uffff";
    var wanted = given.words.filter(function (entry, place, list) {
      return entry[0] <= last && (place + 1 === list.length || list[place + 1][0] > word);
    });
    return all("m", wanted.map(function (entry) { return entry[1]; })).then(function (shards) {
      var found = new Set();
      shards.forEach(function (shard) {
        Object.keys(shard).forEach(function (each) {
          if (whole ? each === word : each.startsWith(word)) steps(shard[each]).forEach(function (number) { found.add(number); });
        });
      });
      return found;
    });
  }

  // The lines of some numbers, in their order; inside a class of amounts, the largest first.
  function lines(numbers) {
    var firsts = given.lines.map(function (entry) { return parseInt(entry[0], 36); }), wanted = new Set(), place = 0;
    numbers.forEach(function (number) {
      while (place + 1 < firsts.length && firsts[place + 1] <= number) place += 1;
      wanted.add(given.lines[place][1]);
    });
    return all("l", Array.from(wanted)).then(function (shards) {
      var known = new Map();
      shards.forEach(function (shard) {
        steps(shard.n).forEach(function (number, each) { known.set(number, shard.l[each]); });
      });
      return numbers.map(function (number) { return { number: number, row: known.get(number) }; }).sort(function (a, b) {
        return (a.number >> given.bits) - (b.number >> given.bits) || (b.row[LINE.amount] || 0) - (a.row[LINE.amount] || 0) ||
          (a.row[LINE.name] < b.row[LINE.name] ? -1 : a.row[LINE.name] > b.row[LINE.name] ? 1 : a.number - b.number);
      }).map(function (item) { return item.row; });
    });
  }

  function finder(form) {
    var input = form.elements.q, status = form.querySelector("[role=status]"), place = document.getElementById("resultats");
    var turn = 0, timer;

    function search(page) {
      var mine = ++turn, wanted = words(input.value);
      keep({ q: input.value.trim(), p: page > 1 ? page : "" });
      if (!wanted.length) {
        place.replaceChildren();
        status.textContent = input.value.trim() ? "Ces mots sont trop courants pour être cherchés seuls." : "";
        return;
      }
      Promise.all(wanted.map(holders)).then(function (sets) {
        if (mine !== turn) return;
        sets.sort(function (a, b) { return a.size - b.size; });
        var found = Array.from(sets[0]).filter(function (number) {
          return sets.every(function (set) { return set.has(number); });
        }).sort(function (a, b) { return a - b; });
        return show(found, Math.min(page, Math.ceil(found.length / PAGE) || 1), mine);
      }).catch(late(status));
    }

    function show(found, page, mine) {
      var total = found.length, from = (page - 1) * PAGE, to = Math.min(total, from + PAGE), first = from, last = to;
      function same(a, b) { return found[a] >> given.bits === found[b] >> given.bits; }
      while (first > 0 && same(first - 1, first)) first -= 1;
      while (last < total && same(last, last - 1)) last += 1;
      return lines(found.slice(first, last)).then(function (rows) {
        if (mine !== turn) return;
        status.textContent = total ? plural(total, "bénéficiaire") + " sur " + count(given.count) : "Aucun bénéficiaire n’a tous ces mots. Un mot d’une ou deux lettres est cherché entier.";
        place.replaceChildren();
        if (!total) return;
        var caption = "Bénéficiaires trouvés, du montant le plus élevé au plus petit" + (total > PAGE ? ", lignes " + (from + 1) + " à " + to + " sur " + count(total) : "");
        place.append(table("resultats-table", caption, lineColumns, rows.slice(from - first, to - first)));
        place.append(tools(page, Math.ceil(total / PAGE), search, total, function () {
          lines(found).then(function (every) { save("beneficiaires.csv", csv(lineColumns, every)); }).catch(late(status));
        }));
      });
    }

    function later() { clearTimeout(timer); timer = setTimeout(function () { search(1); }, 120); }
    input.addEventListener("input", later);
    form.addEventListener("submit", function (event) { event.preventDefault(); clearTimeout(timer); search(1); });
    function restore() { input.value = state().get("q") || ""; search(Number(state().get("p")) || 1); }
    window.addEventListener("hashchange", restore);
    restore();
  }

  kit.page("chercher", function (place, known) {
    names = known;
    finder(place);
  });
})();

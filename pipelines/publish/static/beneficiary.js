// The page of any beneficiary that has none of its own.
(function () {
  "use strict";
  var kit = window.QFQ, given = kit.given, load = kit.load, all = kit.all, words = kit.words, count = kit.count, plural = kit.plural,
    money = kit.money, span = kit.span, make = kit.make, table = kit.table, csv = kit.csv, save = kit.save, tools
    = kit.tools, late = kit.late, LINE = kit.LINE, award = kit.award, awardColumns = kit.awardColumns, arranged =
    kit.arranged, turned = kit.turned, root = kit.root, PAGE = kit.PAGE;
  var names;

  function bucket(id) {
    var value = 2166136261;
    new TextEncoder().encode(id).forEach(function (byte) { value = Math.imul(value ^ byte, 16777619) >>> 0; });
    return given.buckets[value % given.buckets.length];
  }

  function sheet(place) {
    var status = document.getElementById("etat"), title = document.querySelector("h1"), invite = status.textContent;

    function open() {
      var told = /^#(\w+)=(.+)$/.exec(location.hash), id;
      place.hidden = true;
      try { id = told && told[1] + ":" + decodeURIComponent(told[2]); } catch (error) { id = null; }
      if (!id) { status.textContent = invite; return; }
      status.textContent = "Lecture\u2026";
      load("b", bucket(id)).then(function (shard) {
        var known = Object.prototype.hasOwnProperty.call(shard.b, id) ? shard.b[id] : null;
        if (!known) { status.textContent = "Aucun bénéficiaire n’a cet identifiant : " + id + "."; return; }
        if (typeof known === "string") { location.replace(root + "beneficiaires/" + known + ".html"); return; }
        return all("b", known.m || []).then(function (more) {
          status.textContent = "";
          write(shard, known, more);
          place.hidden = false;
        });
      }).catch(late(status));
    }

    function section(id, text) {
      var made = make("section", null, { id: id }), head = make("h2", text, { id: id + "-section" });
      made.setAttribute("aria-labelledby", head.id);
      made.append(head);
      place.append(made);
      return made;
    }

    function keys(row, known) {
      var list = make("dl", null, { className: "keys" }), totals = new Map();
      function add(label, big, detail) {
        var box = document.createElement("div"), body = document.createElement("dd");
        body.append(make("span", big, { className: "big" }));
        if (detail) body.append(make("span", detail, { className: "detail" }));
        box.append(make("dt", label), body);
        list.append(box);
      }
      known.y.forEach(function (each) {
        var key = each[0] + " " + each[1], sum = totals.get(key) || [each[0] || "EUR", each[1], 0, 0];
        totals.set(key, [sum[0], sum[1], sum[2] + (each[4] || 0), sum[3] + each[5]]);
      });
      Array.from(totals.values()).sort(function (a, b) { return b[3] - a[3]; }).forEach(function (sum) {
        add(names.g[sum[1]] || "Montants", money(sum[2], sum[0]), plural(sum[3], "attribution"));
      });
      add("Financeurs", count(row[LINE.funders]));
      add("Années financées", count(row[LINE.years]));
      add("Plus longue suite", plural(known.k[0], "année"), "suite en cours : " + plural(known.k[1], "année"));
      place.append(list);
    }

    // Funder × year: a true zero where the funder's data exist, a dash where they do not.
    function frieze(known, name) {
      var parts = new Map(), into = section("frise", "Année par année");
      known.y.forEach(function (each) {
        var key = (each[0] || "EUR") + " " + each[1];
        if (!parts.has(key)) parts.set(key, []);
        parts.get(key).push(each);
      });
      parts.forEach(function (cells) {
        var years = cells.map(function (each) { return each[3]; }), first = Math.min.apply(null, years), last = Math.max.apply(null, years);
        var funders = Array.from(new Set(cells.map(function (each) { return each[2]; })));
        var columns = [{ t: "Financeur", head: true, v: function (funder) { return (names.f[funder] || [funder])[0]; }, h: function (funder) {
          return names.f[funder] ? root + names.f[funder][1] : null;
        } }];
        for (var year = first; year <= last; year += 1) columns.push(cellOf(cells, year));
        var caption = (names.g[cells[0][1]] || "Montants") + " par financeur et par exercice, " + name;
        into.append(table("frise-" + (into.children.length), caption, columns, funders));
      });
      into.append(make("p", "« 0 » : le financeur a publié cet exercice et rien n’y est accordé à ce bénéficiaire. « – » : ses données ne couvrent pas cet exercice.", { className: "note" }));
    }

    function cellOf(cells, year) {
      function find(funder) { return cells.find(function (each) { return each[2] === funder && each[3] === year; }); }
      return {
        t: String(year), n: true,
        v: function (funder) { var own = find(funder); return own ? (own[4] === null ? "montant non renseigné" : own[4]) : (names.y[funder] || []).includes(year) ? 0 : null; },
        w: function (funder) { var own = find(funder); return !own ? "0" : own[4] === null ? "montant non renseigné" : money(own[4], own[0] || "EUR"); }
      };
    }

    function continuity(known) {
      var into = section("continuite", "Continuité"), list = make("ul", null, { className: "prose" });
      function told(funder) { return (names.f[funder] || [funder])[0]; }
      known.p.forEach(function (pair) {
        var gaps = pair[4] ? ", " + plural(pair[4], "année") + " sans aide entre deux années financées" : "";
        list.append(make("li", told(pair[0]) + " : " + plural(pair[1], "année financée", "années financées") + " sur " + count(pair[2]) + " observables, plus longue suite " + plural(pair[3], "année") + gaps + "."));
      });
      known.g.forEach(function (each) {
        var amount = each[3] === null ? "" : " : " + money(each[3], "EUR");
        list.append(make("li", "Convention de " + told(each[0]) + ", " + span(each[1], each[2]) + amount + "." + (each[4] ? " Elle se termine à la fin de l’année prochaine ou avant." : "")));
      });
      if (!known.g.length) list.append(make("li", "Aucune convention pluriannuelle connue : les fichiers ne la disent pas toujours."));
      into.append(list);
    }

    function attributions(shard, row, known, more) {
      var into = section("attributions", "Attributions"), place = document.createElement("div");
      var who = [null, row[LINE.name], row[LINE.siren], row[LINE.commune]], sorted = 0;
      var columns = awardColumns.filter(function (column) { return !["beneficiary_name", "beneficiary_siren", "commune_name"].includes(column.c); });
      var every = [{ v: shard.v, a: known.a }].concat(more).flatMap(function (part) {
        return part.a.map(function (each) { return award(part, each, 0, who); });
      });
      function show(page, focus) {
        var rows = sorted ? arranged(every, columns, sorted) : every, last = Math.ceil(rows.length / PAGE), from = (page - 1) * PAGE;
        place.replaceChildren(table("attributions-table", "Attributions, de l’exercice le plus récent au plus ancien : " + count(rows.length), columns, rows.slice(from, from + PAGE), function (column) {
          sorted = turned(columns, sorted, column);
          show(1, column);
        }, sorted), tools(page, last, show, rows.length, function () { save("attributions.csv", csv(awardColumns, rows)); }));
        if (focus !== undefined) place.querySelectorAll("thead button")[focus].focus();
      }
      into.append(place);
      if (every.length) show(1);
    }

    function write(shard, known, more) {
      var row = known.l, seat = [row[LINE.commune] && "Siège : " + row[LINE.commune], row[LINE.place] && (names.d[row[LINE.place]] || row[LINE.place]), row[LINE.siren] && "SIREN " + row[LINE.siren], known.r && "RNA " + known.r];
      place.replaceChildren();
      title.replaceChildren(make("bdi", row[LINE.name]));
      document.title = row[LINE.name] + " · Qui finance quoi";
      document.querySelectorAll(".trail [aria-current]").forEach(function (here) { here.replaceChildren(make("bdi", row[LINE.name])); });
      place.append(make("p", seat.filter(Boolean).join(", ") || "Siège non renseigné", { className: "words" }));
      keys(row, known);
      if (known.y.length) frieze(known, row[LINE.name]);
      continuity(known);
      attributions(shard, row, known, more);
    }
    window.addEventListener("hashchange", open);
    open();
  }

  kit.page("fiche", function (place, known) {
    names = known;
    sheet(place);
  });
})();

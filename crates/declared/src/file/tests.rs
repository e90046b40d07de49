use super::*;

const LEAST: &str = "[[component]]\nname = \"a\"\nkind = \"api\"\naddress = \"h:1\"\nmetrics = \"/metrics\"\n\
                     [[component.check]]\ntcp = true\n";

fn parse(more: &str) -> Result<SystemFile, String> {
    SystemFile::parse(&format!("{LEAST}{more}")).map_err(|error| error.to_string())
}

fn signal(keys: &str) -> String {
    format!("[[signal]]\nname = \"s\"\nunit = \"1\"\n{keys}\n")
}

fn invariant(keys: &str) -> String {
    format!("{}[[invariant]]\nname = \"i\"\n{keys}\n", signal("on = \"component:a\"\nmetric = \"m\""))
}

#[test]
fn the_least_there_can_be_has_the_documented_defaults() {
    let file = parse("").expect("right");
    assert_eq!((file.up.severity, file.up.grace), (Severity::Critical, Duration::ZERO));
    assert_eq!(file.components[0].checks[0].timeout, Duration::from_secs(1));
    assert_eq!(file.components[0].checks[0].failing, Failing::Down);
    let file = parse(&invariant("signal = \"s\"\nabove = 1")).expect("right");
    assert_eq!(file.signals[0].role, operator_protocols::SignalRole::Other);
    assert_eq!(file.invariants[0].severity, Severity::Warning);
    assert_eq!(file.invariants[0].limit, Limit::Above { limit: 1.0, clear: 1.0 });
    assert_eq!(file.invariants[0].description, "s is at most 1");
}

#[test]
fn a_wrong_key_is_named_with_what_would_be_right() {
    for (more, expected) in [
        ("colour = 1", "component[0].check[0].colour: there is no such key; there are http"),
        ("[[signl]]", "signl: there is no such key; did you mean signal?"),
        ("timeout = 5", "component[0].check[0].timeout: expected a duration in quotes, like \"5s\""),
        ("timeout = \"1d\"", "component[0].check[0].timeout: expected a duration"),
        ("status = 200", "component[0].check[0].status: belongs to a check by http"),
        ("http = \"/\"", "component[0].check[0]: expected one of http, tcp, promql, given http and tcp"),
        ("failing = \"off\"", "component[0].check[0].failing: expected one of down, degraded, given \"off\""),
        ("[[component]]\nname = \"a\"\nkind = \"b\"\n[[component.check]]\ntcp = \"h:2\"", "component[1]: a is there"),
        ("[[component]]\nname = \"b\"\nkind = \"b\"", "component[1].check: is missing"),
        ("[[component]]\nname = \"b\"\nkind = \"b\"\n[[component.check]]\ntcp = true", "the component has no address"),
        ("[[component]]\nname = \"b c\"\nkind = \"b\"", "component[1].name: expected 1 to 100 letters"),
        ("[[component]]\nname = \"b\"\nkind = \"b\"\naddress = \"h\"", "component[1].address: expected host:port"),
        ("[[dependency]]\nfrom = \"a\"\nto = \"aa\"", "dependency[0].to: there is no component \"aa\"; there are a"),
        ("[[dependency]]\nfrom = \"a\"\nto = \"a\"", "dependency[0].to: a component does not depend on itself"),
        ("prometheus_url = 1", "component[0].check[0].prometheus_url: there is no such key"),
    ] {
        let error = parse(more).expect_err(more);
        assert!(error.contains(expected), "{more}: {error}");
    }
}

#[test]
fn a_signal_that_cannot_be_read_as_it_says_is_refused() {
    for (keys, expected) in [
        ("on = \"component:b\"\nmetric = \"m\"", "signal[0].on: there is no component \"b\""),
        ("on = \"kind:apy\"\nmetric = \"m\"", "signal[0].on: there is no component of kind \"apy\"; did you mean api?"),
        ("on = \"a\"\nmetric = \"m\"", "signal[0].on: expected component:NAME"),
        ("on = \"edge:a>a\"\nmetric = \"m\"", "signal[0].on: there is no dependency from a to a"),
        ("on = \"component:a\"", "signal[0]: expected one of metric, promql"),
        ("on = \"component:a\"\npromql = \"up\"", "prometheus_url: is missing"),
        ("on = \"component:a\"\npromql = \"up\"\nvalue = \"rate\"", "signal[0].value: belongs to a metric"),
        ("on = \"component:a\"\nmetric = \"m\"\nby = \"x\"", "signal[0].by: component:a is one"),
        ("on = \"kind:api\"\npromql = \"up\"", "signal[0].by: is missing"),
        ("on = \"kind:api\"\nmetric = \"m\"\nby = \"x\"", "signal[0].by: each component's own metrics are read"),
        ("on = \"entity:queue\"\nmetric = \"m\"\nscrape = \"a\"", "signal[0].by: is missing"),
        ("on = \"entity:queue:q\"\nmetric = \"m\"", "signal[0].scrape: is missing"),
        ("on = \"entity:queue:q\"\nmetric = \"m\"\nscrape = \"b\"", "signal[0].scrape: there is no component"),
        ("on = \"component:a\"\nmetric = \"m\"\nvalue = \"rate\"\naggregate = \"max\"", "signal[0].aggregate: counts"),
        ("on = \"component:a\"\nmetric = \"m\"\nvalue = \"quantile\"", "signal[0].quantile: is missing"),
        (
            "on = \"component:a\"\nmetric = \"m\"\nvalue = \"quantile\"\nquantile = 99",
            "signal[0].quantile: expected more",
        ),
        ("on = \"component:a\"\nmetric = \"m\"\nlabels = { a = 1 }", "signal[0].labels.a: expected text, given 1"),
    ] {
        let error = parse(&signal(keys)).expect_err(keys);
        assert!(error.contains(expected), "{keys}: {error}");
    }
    let taken = signal("on = \"component:a\"\nmetric = \"m\"").replace("\"s\"", "\"answer_time\"");
    assert!(parse(&taken).expect_err("taken").contains("measured of every component already"));
}

#[test]
fn an_invariant_that_could_never_be_judged_is_refused() {
    for (keys, expected) in [
        ("above = 1", "invariant[0].signal: is missing"),
        ("signal = \"t\"\nabove = 1", "invariant[0].signal: there is no signal \"t\""),
        ("signal = \"s\"", "invariant[0]: expected one of above, below, unchanged_for, peers_within"),
        ("signal = \"s\"\nabove = 1\nbelow = 0", "given above and below"),
        ("signal = \"s\"\nabove = 1\nclear = 2", "invariant[0].clear: expected at most 1, given 2"),
        ("signal = \"s\"\nbelow = 1\nclear = 0", "invariant[0].clear: expected at least 1, given 0"),
        ("signal = \"s\"\nabove = nan", "invariant[0].above: expected a finite number"),
        ("signal = \"s\"\npeers_within = 0", "invariant[0].peers_within: component:a has no peers"),
        ("signal = \"s\"\nunchanged_for = \"2h\"", "invariant[0].unchanged_for: expected a duration"),
        ("signal = \"s\"\nabove = 1\nminimum_traffic = { signal = \"s\" }", "minimum_traffic.at_least: is missing"),
        ("signal = \"s\"\nabove = 1\nseverity = \"bad\"", "expected one of info, warning, critical, given \"bad\""),
        ("signal = \"s\"\nabove = 1\nabsent = \"ok\"", "invariant[0].absent: there is no such key"),
    ] {
        let error = parse(&invariant(keys)).expect_err(keys);
        assert!(error.contains(expected), "{keys}: {error}");
    }
    let built_in = invariant("signal = \"s\"\nabove = 1").replace("name = \"i\"", "name = \"up\"");
    assert!(parse(&built_in).expect_err("taken").contains("up is built in"));
}

#[test]
fn a_link_names_a_signal_that_is_on_it() {
    let two = "[[component]]\nname = \"b\"\nkind = \"db\"\n[[component.check]]\ntcp = \"h:2\"\n[[dependency]]\n\
               from = \"a\"\nto = \"b\"\nkind = \"sql\"\nup = \"s\"\n";
    let right = format!("{two}{}", signal("on = \"edge:a>b\"\nmetric = \"m\""));
    assert!(parse(&right).is_ok());
    let wrong = format!("{two}{}", signal("on = \"component:a\"\nmetric = \"m\""));
    assert_eq!(
        parse(&wrong).expect_err("another place"),
        "dependency[0].up: the signal s is on component:a, not on edge:a>b"
    );
    assert!(parse(two).expect_err("no signal").contains("dependency[0].up: there is no signal \"s\""));
}

#[test]
fn more_than_fits_is_refused() {
    let many = |n: usize| {
        (0..n).fold(String::new(), |text, i| {
            text + &format!(
                "[[component]]\nname = \"c{i}\"\nkind = \"k\"\n[[component.check]]\ntcp = \"h:{}\"\n",
                i + 1
            )
        })
    };
    assert!(SystemFile::parse(&many(limits::COMPONENTS)).is_ok());
    let error = SystemFile::parse(&many(limits::COMPONENTS + 1)).expect_err("too many").to_string();
    assert!(error.contains("component: expected a list of at most 256 tables"), "{error}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.toml");
    std::fs::write(&path, "#".repeat(limits::FILE_BYTES as usize + 1)).expect("written");
    assert_eq!(SystemFile::read(&path).expect_err("too large").to_string(), "it is larger than 1048576 bytes");
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    let mut read = 0;
    for entry in std::fs::read_dir(examples).expect("examples").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "toml") {
            SystemFile::read(&entry.path()).unwrap_or_else(|error| panic!("{}: {error}", entry.path().display()));
            read += 1;
        }
    }
    assert!(read >= 2);
}

#[test]
fn the_page_explains_every_key_and_its_file_is_right() {
    let page = include_str!("../../../../docs/declared-subject.md");
    let tables: [&[&str]; 6] =
        [&KEYS, &component::KEYS, &check::KEYS, &dependency::KEYS, &signal::KEYS, &invariant::KEYS];
    for key in tables.concat() {
        let told = [format!("`{key}`"), format!("[[{key}]]"), format!("`[{key}]`"), format!(".{key}]]")];
        assert!(told.iter().any(|told| page.contains(told)), "{key} is not explained");
    }
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let files: Vec<_> = blocks.filter(|block| block.contains("[[component]]")).collect();
    assert!(!files.is_empty());
    for file in files {
        SystemFile::parse(file).unwrap_or_else(|error| panic!("{error}: {file}"));
    }
}

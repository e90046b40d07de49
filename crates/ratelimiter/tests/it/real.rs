use crate::scene::*;
use operator_protocols::*;
#[tokio::test]
async fn real() {
    let nodes: Vec<(&str, String)> = vec![
        ("node-1", "127.0.0.1:7391".into()),
        ("node-2", "127.0.0.1:7392".into()),
        ("node-3", "127.0.0.1:7393".into()),
    ];
    let mut scene = Scene::with(settings(7390, &nodes), None);
    for _ in 0..3 {
        scene.look().await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let n = now().as_millis();
    for (i, mut r) in [
        request("reset_counter", key("key-1"), &[]),
        request("update_limit", key("key-2"), &[("limit", Value::Int(120))]),
        request("drain_node", component("node-3"), &[("owner", "me".into()), ("ttl_s", Value::Int(30))]),
        request("undrain_node", component("node-3"), &[("owner", "me".into())]),
        request("resync_node", component("node-2"), &[]),
    ]
    .into_iter()
    .enumerate()
    {
        r.intent = format!("i{n}-{i}");
        let g = scene.guard(&r).await;
        println!("{} guard {:?}", r.action, g);
        println!("  effect before {:?}", scene.subject.effect(&r, now()).await);
        for a in 1..3 {
            let t = ExecutionToken::new(
                r.intent.clone(),
                a,
                1,
                now().plus(std::time::Duration::from_secs(60)),
                std::time::Duration::from_millis(900),
            );
            println!("  sent {a} {:?}", scene.subject.execute(&r, &g, &t).await);
        }
        println!("  effect after {:?}", scene.subject.effect(&r, now()).await);
    }
    for p in scene.subject.probes() {
        for t in [component("node-1"), key("key-2"), Locus::Nothing] {
            let a = scene
                .subject
                .probe(&ProbeRequest { probe: p.name.clone(), target: t.clone(), params: Default::default() }, now())
                .await;
            println!("{} {t}: {}", p.name, format!("{:?}", a.answer).chars().take(200).collect::<String>());
        }
    }
    let seen = scene.look().await;
    println!("{:?}", seen.violated());
    for e in &seen.observation.events {
        println!("{} {}", e.id, e.message);
    }
}

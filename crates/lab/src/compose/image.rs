//! An image from programs of this machine: the programs, the shared libraries that `ldd` names for them, and nothing
//! else. No base image and no registry are needed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::Run;
use super::error::ComposeError;
use super::project::{ComposeProject, LABEL};

/// What `ldd` may take: it starts the program's loader.
const LDD: Duration = Duration::from_secs(20);
/// What making the image may take: some hundred megabytes are copied.
const BUILD: Duration = Duration::from_secs(180);
/// The list of what was copied, in the image and in the project's folder.
pub const CONTENTS: &str = "CONTENTS";

/// What an image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRecipe {
    /// The programs; each becomes `/bin/NAME`.
    pub programs: Vec<PathBuf>,
    /// Folders that everybody may write to, for volumes and memory file systems to be put on.
    pub writable: Vec<&'static str>,
    /// The Dockerfile's name among the project's files; it copies `root/`.
    pub dockerfile: &'static str,
    /// The image's name, of which there is one for each project.
    pub tag: String,
}

/// Makes the image; the answer is what was copied where, as the image's own list says it.
///
/// # Errors
/// When a program or library cannot be copied, or docker does not make it.
pub async fn make(project: &ComposeProject, recipe: &ImageRecipe) -> Result<String, ComposeError> {
    let context = project.folder().join("image");
    let contents = lay_out(&context.join("root"), recipe).await?;
    let list = contents.iter().map(|(to, from)| format!("{to} from {}\n", from.display())).collect::<String>();
    write(&context.join("root").join(CONTENTS), &list)?;
    write(&project.folder().join(CONTENTS), &list)?;
    let dockerfile = project.folder().join(recipe.dockerfile);
    let copy = context.join("Dockerfile");
    fs::copy(&dockerfile, &copy).map_err(|source| ComposeError::File { path: dockerfile, source })?;
    let label = format!("{LABEL}={}", project.name());
    let build = project.engine().docker(BUILD).args(["build", "--quiet", "--force-rm", "--label", &label]);
    let build = build.args(["--tag", &recipe.tag, "."]).in_folder(&context);
    // What two builds at once share may be removed under one of them, with the image of a third.
    if let Err(error) = build.output().await {
        tracing::debug!(%error, "trying once more");
        build.output().await?;
    }
    // It is in the image now.
    fs::remove_dir_all(&context).map_err(|source| ComposeError::File { path: context, source })?;
    Ok(list)
}

/// Copies everything to its place below `root`; the answer is where each file came from, by its place.
async fn lay_out(root: &Path, recipe: &ImageRecipe) -> Result<BTreeMap<String, PathBuf>, ComposeError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ComposeError::File { path, source }
    };
    if root.exists() {
        fs::remove_dir_all(root).map_err(failed(root))?;
    }
    let mut contents = BTreeMap::new();
    for program in &recipe.programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        contents.insert(format!("/bin/{name}"), program.clone());
        for library in libraries(program).await? {
            contents.insert(library.to_string_lossy().into_owned(), library);
        }
    }
    for (to, from) in &contents {
        let to = root.join(to.trim_start_matches('/'));
        let folder = to.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(failed(folder))?;
        fs::copy(from, &to).map_err(failed(from))?;
        // Whoever runs it in the image is nobody in particular.
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).map_err(failed(&to))?;
    }
    for writable in &recipe.writable {
        let folder = root.join(writable.trim_start_matches('/'));
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).map_err(failed(&folder))?;
    }
    Ok(contents)
}

/// The shared libraries of a program, its loader among them; none if it is linked statically.
async fn libraries(program: &Path) -> Result<Vec<PathBuf>, ComposeError> {
    match Run::new("ldd", LDD).args([program]).output().await {
        Ok(said) => Ok(said.lines().filter_map(library).collect()),
        Err(ComposeError::Failed { said, .. }) if said.contains("not a dynamic executable") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The file that a line of `ldd` names: `NAME => PATH (ADDRESS)`, or `PATH (ADDRESS)` for the loader.
fn library(line: &str) -> Option<PathBuf> {
    let line = line.split_once("=>").map_or(line, |(_, path)| path);
    let path = line.trim().split(" (").next()?;
    path.starts_with('/').then(|| PathBuf::from(path))
}

fn write(path: &Path, text: &str) -> Result<(), ComposeError> {
    fs::write(path, text).map_err(|source| ComposeError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ldd_names_a_file_or_none() {
        let named = |line| library(line).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(
            named("\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x0000)"),
            Some("/lib/x86_64-linux-gnu/libm.so.6".to_owned())
        );
        assert_eq!(named("\t/lib64/ld-linux-x86-64.so.2 (0x0000)"), Some("/lib64/ld-linux-x86-64.so.2".to_owned()));
        for nothing in ["\tlinux-vdso.so.1 (0x0000)", "\tlibx.so => not found", "\tstatically linked", ""] {
            assert_eq!(named(nothing), None);
        }
    }

    #[tokio::test]
    async fn a_program_is_laid_out_with_its_libraries_and_everything_can_be_read_by_everybody() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let recipe = ImageRecipe {
            programs: vec![PathBuf::from("/bin/sh")],
            writable: vec!["/data"],
            dockerfile: "Dockerfile",
            tag: "t".to_owned(),
        };
        let root = folder.path().join("root");
        let contents = lay_out(&root, &recipe).await.expect("laid out");
        assert_eq!(contents["/bin/sh"], Path::new("/bin/sh"));
        for to in contents.keys() {
            let mode = fs::metadata(root.join(&to[1..])).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o755, "{to}");
        }
        assert_eq!(fs::metadata(root.join("data")).expect("it is there").permissions().mode() & 0o7777, 0o1777);
    }
}

namespace KTls.Fuzz;

/// <summary>
/// The inputs that a target starts from: one a line, in hexadecimal digits, in a file with the target's name. Lines that begin
/// with "#" say what the next one is. Inputs that once failed stand in a folder of their own and are never dropped.
/// </summary>
internal static class Corpus
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Corpus");

    public static List<byte[]> Load(Target target) => [.. Read(FailedFileOf(target, Folder)), .. Read(FileOf(target, Folder))];

    /// <summary>Writes the inputs into the source tree.</summary>
    public static void Save(string folder, Target target, IEnumerable<byte[]> inputs)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllLines(FileOf(target, folder), inputs.Select(Convert.ToHexStringLower));
    }

    private static IEnumerable<byte[]> Read(string file) => File.Exists(file)
        ? File.ReadLines(file).Where(line => !line.StartsWith('#')).Select(Convert.FromHexString)
        : [];

    private static string FileOf(Target target, string folder) => Path.Combine(folder, $"{target.Name}.txt");

    private static string FailedFileOf(Target target, string folder) => Path.Combine(folder, "Failed", $"{target.Name}.txt");
}

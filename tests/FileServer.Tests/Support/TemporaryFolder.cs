namespace FileServer.Tests.Support;

/// <summary>A folder of a test's own, gone with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Name { get; } = Directory.CreateTempSubdirectory("fileserver-test-").FullName;

    public string this[string file] => Path.Combine(Name, file);

    public string Write(string file, string text) => Write(file, System.Text.Encoding.UTF8.GetBytes(text));

    public string Write(string file, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[file])!);
        File.WriteAllBytes(this[file], content);
        return this[file];
    }

    public void Dispose() => Directory.Delete(Name, recursive: true);
}

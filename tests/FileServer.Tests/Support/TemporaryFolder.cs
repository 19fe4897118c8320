namespace FileServer.Tests.Support;

/// <summary>
/// A folder of a test's own, gone with it. On tmpfs: the lab's root (hostfs) opens files by their path on the host, so a link that
/// is swapped in meanwhile is followed behind the guest kernel's back.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Name { get; } = Directory.CreateDirectory($"/dev/shm/fileserver-test-{Guid.NewGuid():N}").FullName;

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

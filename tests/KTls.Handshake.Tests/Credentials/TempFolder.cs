namespace KTls.Handshake.Tests.Credentials;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Name { get; } = Directory.CreateTempSubdirectory("ktls-credentials-").FullName;

    public string this[string file] => Path.Combine(Name, file);

    public string Write(string file, string content)
    {
        File.WriteAllText(this[file], content);
        return this[file];
    }

    public string Write(string file, byte[] content)
    {
        File.WriteAllBytes(this[file], content);
        return this[file];
    }

    public void Dispose() => Directory.Delete(Name, recursive: true);
}

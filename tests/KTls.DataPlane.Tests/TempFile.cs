using Microsoft.Win32.SafeHandles;

namespace KTls.DataPlane.Tests;

/// <summary>A file with a content, in memory where the system has such a place.</summary>
internal sealed class TempFile : IDisposable
{
    private readonly string _path = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), Path.GetRandomFileName());

    public TempFile(byte[] content)
    {
        File.WriteAllBytes(_path, content);
        Handle = File.OpenHandle(_path);
    }

    public SafeFileHandle Handle { get; }

    public void Dispose()
    {
        Handle.Dispose();
        File.Delete(_path);
    }
}

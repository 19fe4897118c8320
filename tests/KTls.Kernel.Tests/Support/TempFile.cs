using Microsoft.Win32.SafeHandles;

namespace KTls.Kernel.Tests.Support;

/// <summary>A file of known content, deleted at the end.</summary>
internal sealed class TempFile : IDisposable
{
    public TempFile(byte[] content)
    {
        File.WriteAllBytes(Path, content);
        Handle = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName());

    public SafeFileHandle Handle { get; }

    public void Dispose()
    {
        Handle.Dispose();
        File.Delete(Path);
    }
}

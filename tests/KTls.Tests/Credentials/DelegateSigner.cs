using KTls.Handshake;

namespace KTls.Tests.Credentials;

/// <summary>A key behind a delegate.</summary>
internal sealed class DelegateSigner(Func<SignatureScheme, ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> sign) : ICertificateSigner
{
    public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => sign(scheme, content, cancellationToken);
}

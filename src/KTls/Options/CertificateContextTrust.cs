using System.Net.Security;
using System.Runtime.CompilerServices;

namespace KTls.Options;

/// <summary>
/// Whether a certificate context names authorities of its own for the other side's certificate. SslStream honours them, and has no
/// public way to ask for them: so we look at its field, and where there is none any more we take it that there may be some.
/// </summary>
internal static class CertificateContextTrust
{
    public static bool MayBeSet(SslStreamCertificateContext context)
    {
        try
        {
            return Trust(context) is not null;
        }
        catch (MissingFieldException)
        {
            return true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "Trust")]
    private static extern ref SslCertificateTrust? Trust(SslStreamCertificateContext context);
}

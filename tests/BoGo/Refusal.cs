using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>How the shim, as the handshake's caller, ends it.</summary>
/// <param name="Alert">What the runner gets.</param>
/// <param name="Error">What the shim says, in BoringSSL's words.</param>
internal sealed record Refusal(AlertDescription Alert, string Error);

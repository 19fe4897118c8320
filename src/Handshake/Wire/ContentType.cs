namespace KTls.Handshake;

/// <summary>The type of a record's content (RFC 8446 §5.1).</summary>
public enum ContentType : byte
{
    /// <summary>Not a record type that may be sent.</summary>
    Invalid = 0,

    /// <summary>A change_cipher_spec record.</summary>
    ChangeCipherSpec = 20,

    /// <summary>An alert.</summary>
    Alert = 21,

    /// <summary>Handshake messages, whole or in fragments.</summary>
    Handshake = 22,

    /// <summary>Application data, or in TLS 1.3 anything encrypted.</summary>
    ApplicationData = 23,
}

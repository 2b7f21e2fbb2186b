//! The headers that are sent with each request, from a list of `key=value`.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING},
};

use super::{error::ConfigError, pairs::pairs, setting::Setting};

/// They describe the request itself: a wrong one makes every request invalid.
const OWN: [HeaderName; 6] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TE, TRANSFER_ENCODING];

/// The headers in a setting, their values marked as sensitive.
pub(super) fn headers(setting: &Setting) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (index, (key, value)) in pairs(&setting.name, &setting.value)?.into_iter().enumerate() {
        let name = HeaderName::try_from(&key).map_err(|_| ConfigError::HeaderName {
            name: setting.name.clone(),
            header: index + 1,
        })?;
        let invalid =
            |problem| ConfigError::Header { name: setting.name.clone(), key: key.clone(), problem };
        if OWN.contains(&name) {
            return Err(invalid("is set by the agent itself"));
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| invalid("has a value with a character that HTTP does not allow"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

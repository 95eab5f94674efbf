# With REGISTRATION_MODE=disabled nobody does.
> nobody POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 403
< {
<   "detail": "Registration is disabled."
< }
> adalove POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 403
< {
<   "detail": "Registration is disabled."
< }
> admin POST /v2/auth/register/
| {"username": "eve", "password": "opensesame", "email": "eve@example.com"}
< 403
< {
<   "detail": "Registration is disabled."
< }

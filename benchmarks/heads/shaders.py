"""The programs that draw: one for shadows, one for what the camera sees. All light is linear until the last line."""

from typing import Final

SHADOW_VERTEX: Final = """
#version 330
uniform mat4 light;
in vec3 point;
void main() { gl_Position = light * vec4(point, 1.0); }
"""

SHADOW_FRAGMENT: Final = """
#version 330
void main() {}
"""

VERTEX: Final = """
#version 330
uniform mat4 camera;
uniform mat4 light;
uniform int part;
in vec3 point;
in vec3 normal;
in float fold;
in vec4 paint;     // melanin, blood, hair roots, inside of the mouth
in vec2 uv;
in float edge;
in float open;
in vec3 original;  // of eyes: the direction from their centre at rest
out vec3 at; out vec3 facing; out float folded; out vec4 painted; out vec2 place; out float inner; out vec3 home;
out float opened;
out vec4 lit;
void main() {
    gl_Position = camera * vec4(point, 1.0);
    if (part == 5) gl_Position.z -= 0.0015 * gl_Position.w;  // brows lie on the skin
    lit = light * vec4(point + 0.03 * normal, 1.0) * 0.5 + 0.5;
    at = point; facing = normal; folded = fold; painted = paint; place = uv; inner = edge; home = original;
    opened = open;
}
"""

FRAGMENT: Final = """
#version 330
const int SKIN = 0, EYES = 1, TEETH = 2, GUMS = 3, TONGUE = 4, BROWS = 5, LASHES = 6, HAIR = 7;
const float LIPS = 1.5;       // how far to the front the lips are on the base mesh, in decimetres
uniform int part;
uniform vec3 eye;             // of the camera
uniform vec3 key_from;
uniform float key;
uniform vec2 sky;             // from above, from below
uniform float exposure;
uniform float reflectance;    // of the skin, without detail
uniform float blood;          // how much of it shows through
uniform float brow_fill, brow_shade, hair_shade, cloth_shade, iris_shade, gloss;
uniform sampler2D grain;
uniform sampler2DShadow shadow;
in vec3 at; in vec3 facing; in float folded; in vec4 painted; in vec2 place; in float inner; in vec3 home;
in float opened;
in vec4 lit;
out vec4 seen;

float grains(vec2 where) { return texture(grain, where).r; }

float sunlit() {
    float sum = 0.0;
    for (int x = -1; x <= 1; x += 2) for (int y = -1; y <= 1; y += 2)
        sum += texture(shadow, vec3(lit.xy + vec2(x, y) / 400.0, lit.z - 0.004));
    return sum / 4.0;
}

void main() {
    vec3 n = normalize(facing), to_eye = normalize(eye - at);
    if (part == HAIR || part == BROWS || part == LASHES) { if (dot(n, to_eye) < 0.0) n = -n; }
    float albedo, shine = 0.0, rough = 24.0, wrap = 0.0, hollow = 1.0, is_skin = 0.0;
    if (part == SKIN) {
        float detail = (grains(place * 40.0) - 0.5) * 0.30 + (grains(place * 9.0) - 0.5) * 0.25;
        float melanin = -log(reflectance) * painted.x * (1.0 + 0.25 * detail);
        albedo = exp(-melanin - blood * painted.y * (1.0 + detail));
        float roots = clamp(painted.z * (1.0 + 2.0 * (grains(place * 90.0) - 0.5)), 0.0, 1.0);
        albedo = mix(albedo, hair_shade, roots);
        is_skin = 1.0;
        shine = gloss * (1.0 + 2.0 * detail); wrap = 0.25;
        hollow = clamp(1.0 + 0.55 * folded, 0.15, 1.15);
        if (home.y < 5.75 - 0.3 * max(home.z, 0.0) || abs(home.x) > 1.05) {
            albedo = cloth_shade; shine = 0.0; is_skin = 0.0;
        }
        if (painted.w > 0.01) {
            float deep = smoothstep(0.0, 0.5, painted.w);
            albedo = mix(albedo, 0.10, deep);
            hollow *= mix(1.0, 0.45 * exp(-6.0 * max(LIPS - home.z, 0.0)), deep);
            shine *= 1.0 - deep;
        }
    } else if (part == EYES) {
        float angle = acos(clamp(normalize(home).z, -1.0, 1.0));
        float iris = 1.0 - smoothstep(0.46, 0.52, angle), pupil = 1.0 - smoothstep(0.17, 0.22, angle);
        float rim = smoothstep(0.36, 0.50, angle) * iris;
        albedo = mix(0.42, iris_shade * (1.0 - 0.7 * rim), iris) * (1.0 - 0.95 * pupil);
        hollow = 0.35 + 0.65 * smoothstep(0.65, -0.2, normalize(home).y);
        shine = 1.0; rough = 180.0;
    } else if (part == TEETH) {
        albedo = 0.60; shine = 0.5; rough = 60.0;
        hollow = 0.85 * exp(-5.0 * max(LIPS - home.z, 0.0));
    } else if (part == TONGUE || part == GUMS) {
        // Light comes into a mouth through its opening alone.
        albedo = 0.14; shine = 0.2; hollow = 0.45 * exp(-5.0 * max(LIPS - home.z, 0.0));
    } else {  // hair of some kind
        float strand = grains(place * vec2(90.0, 30.0));
        float cover = part == HAIR ? 2.0 * step(0.5, inner) : inner * brow_fill;
        if (cover < 0.25 + 0.75 * strand || (part == LASHES && home.y < 7.27)) discard;
        albedo = (part == HAIR ? hair_shade : brow_shade) * (0.6 + 0.8 * strand);
        shine = part == HAIR ? 0.6 * strand : 0.1; rough = 12.0;
        hollow = part == LASHES ? 0.5 : 0.9;
    }
    bool inside = part == TEETH || part == GUMS || part == TONGUE || painted.w > 0.5;
    float sun = sunlit();
    float facing_key = dot(n, key_from);
    float direct = max((facing_key + wrap) / (1.0 + wrap), 0.0) * mix(sun, 1.0, 0.06);
    float open_to_all = part == SKIN ? opened : part == EYES ? 0.4 + 0.6 * opened : 1.0;
    float around = mix(sky.y, sky.x, 0.5 + 0.5 * n.y) * hollow * open_to_all;
    vec3 h = normalize(key_from + to_eye);
    float fresnel = 0.035 + 0.965 * pow(1.0 - max(dot(h, to_eye), 0.0), 5.0);
    float spark = fresnel * (rough + 8.0) / 25.0 * pow(max(dot(n, h), 0.0), rough) * max(facing_key, 0.0) * sun;
    float sheen = 0.03 * around * (1.0 + 4.0 * pow(1.0 - max(dot(n, to_eye), 0.0), 4.0));
    direct *= inside ? hollow : 0.35 + 0.65 * hollow;
    float light = albedo * (key * direct + around) + shine * (key * spark + sheen) * hollow;
    seen = vec4(pow(clamp(light * exposure, 0.0, 1.0), 1.0 / 2.2), is_skin, 0.0, 1.0);
}
"""

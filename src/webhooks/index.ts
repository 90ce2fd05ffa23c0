export { HttpLookups } from './http-lookups.ts';
export { HttpPosts } from './http-posts.ts';

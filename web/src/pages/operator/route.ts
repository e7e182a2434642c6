import { getRouteApi } from '@tanstack/react-router';

/** The address of the operator pages. */
export const route = getRouteApi('/members/operator/$page');

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError } from '../../api/apiError.ts';
import { showToast } from '../../components/toastStore.ts';

/** Does something on the server, says how it went, and reads again what is on the page. */
export function useAction<Input>(act: (input: Input) => Promise<string>, reads: readonly string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (message) => void showToast(message),
    onError: (error) =>
      void showToast(error instanceof ApiError ? error.message : 'Something went wrong on this page.', { tone: 'bad' }),
    onSettled: () => client.invalidateQueries({ queryKey: reads }),
  });
}

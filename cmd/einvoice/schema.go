package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"einvoice/connector/results"
)

func schemaCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "results-schema xml|json", Short: "Print the schema of the result files (XSD or JSON schema)", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := map[string]string{"xml": results.XSD, "json": results.JSONSchema}[args[0]]
			if !ok {
				return fmt.Errorf("%w: write xml or json, not %q", errUsage, args[0])
			}
			_, err := io.WriteString(s.out, text)
			return err
		},
	}
}
